"""Commands of the screens app."""
