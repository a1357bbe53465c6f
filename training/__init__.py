"""What models learn: snapshots of gold, runs, and the trainers themselves.

Two sides that meet in files only. Django side: `snapshots`, `formats`, `runs`, `launch`. Torch side:
`train` and what it imports; it reaches no Django, and the web process never imports it.
"""
