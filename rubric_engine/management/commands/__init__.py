"""Commands of the rubric engine."""
