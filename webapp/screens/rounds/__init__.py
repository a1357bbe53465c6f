"""Rounds: the list, making one, drafting, opening, progress, closing. Every change is `annotation.rounds`' own."""
