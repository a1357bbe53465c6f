"""What models learn: snapshots frozen from gold, runs, the trainers they start, and what they measured.

Owns snapshots, export formats, runs and their attempts, reward models, policies and evaluations.
Never owns what people decide (`annotation`). Two sides: the Django side freezes, submits and observes;
the torch side (`train.py` and what it imports) reads a snapshot and a run directory and imports no Django.
"""
