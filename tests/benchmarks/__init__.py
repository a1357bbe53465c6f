"""Measurements, run by `make bench`; each prints its figures and keeps them in docs/figures.jsonl."""
