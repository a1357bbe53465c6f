"""The audit log as a page: who did what, to what, when, and why. Reads only."""
