"""Imports: what was uploaded, how far it is, what was refused and why."""
