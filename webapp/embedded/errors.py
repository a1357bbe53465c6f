"""What can keep the embedded services from running. Each message says what, where, and what to do."""

from __future__ import annotations


class EmbeddedError(Exception):
    """The start is refused or failed; the message is written for the person at the terminal."""
