"""The sample pack: data written by us, and the command that loads it at the first start."""
