"""Template tags of the look: small parts with a rule in them."""
