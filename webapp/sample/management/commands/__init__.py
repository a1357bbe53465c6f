"""Commands of the sample pack."""
