"""One datum's way from a file to an evaluated policy, through the real services and over HTTP only."""
