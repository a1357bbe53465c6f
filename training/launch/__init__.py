"""Starting trainers and watching them: claim, spawn, observe, end.

Owns the processes and what their run directories say. Never imports torch, never decides what to run.
Called by `training.tasks` only.
"""
