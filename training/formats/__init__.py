"""The files of a snapshot: items, pairs, prompts, as JSONL and Parquet, with a dataset card.

Owns the shapes that other tools read. Never touches the database. Called by `training.snapshots` only.
"""
