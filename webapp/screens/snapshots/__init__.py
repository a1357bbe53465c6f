"""Snapshots: freeze one, see what is in it, download its files, check what it is fit for."""
