"""What the product keeps while its processes are killed: edits, submits, jobs and runs.

Each harness first has to catch a fault that was planted; only then does its zero count. Everything is killed and
asked from outside: over HTTP, by process id, and by reading the tables as the cluster's superuser.
"""
