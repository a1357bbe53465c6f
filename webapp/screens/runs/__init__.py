"""Runs: launch one, watch it learn, cancel or resume it, and see where it stands beside the published rows."""
