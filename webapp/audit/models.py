"""The audit event. A trigger refuses UPDATE and DELETE (see migration 0002)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from webapp.accounts.models import ProjectRow, ScopedManager


class Event(ProjectRow):
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=64)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    reason = models.TextField(blank=True)

    objects = ScopedManager["Event"]()
    rows: ClassVar = models.Manager["Event"]()

    class Meta(ProjectRow.Meta):
        indexes = [
            models.Index(fields=["project", "-id"]),
            models.Index(fields=["subject_type", "subject_id"]),
        ]
