"""What people decide: rounds, assignments, reviews, adjudication, gold, agreement.

Owns every state that a reviewer can change. Never owns where a draft comes from (`rubric_engine`) nor
what is learned from gold (`training`, which calls it). `document.py` is pure.
"""
