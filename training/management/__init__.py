"""Commands of `manage.py` over snapshots."""
