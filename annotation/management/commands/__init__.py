"""Each command is a thin door to a domain function."""
