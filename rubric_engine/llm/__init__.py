"""Talking to an OpenAI-compatible endpoint: prompts, cleaning, retries, repair, a record of every call.

Never owns what a rubric is, nor where a draft is kept; touches no database. Called by `rubric_engine.drafting`
in the llm runner only.
"""
