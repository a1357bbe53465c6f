"""Append-only events: who did what, when, to what, from what, to what, why. Calls `accounts` only."""
