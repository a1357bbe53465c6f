"""How reviewers work: pace, seeded errors, agreement with oneself. For leads of everyone, for reviewers of themselves."""
