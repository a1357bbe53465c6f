"""A reviewer's own rounds and how far one is in each. Knows nothing of other reviewers."""
