"""Flags that reviewers raised: the queue in which leads answer and resolve them."""
