"""Durable jobs: due work is a row, claimed with SKIP LOCKED and a fence; a Celery message only nudges.

Owns the row, the claim, the heartbeat and the runner process. Never owns what a job does: handlers
are named in settings and belong to the apps above.
"""
