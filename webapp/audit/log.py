"""Recording an event: called inside the transaction of the write that it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models

from webapp.accounts.models import Project, User
from webapp.audit.models import Event


def record(
    *,
    project: Project,
    actor: User | None,
    action: str,
    subject: models.Model,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
    reason: str = "",
) -> Event:
    """Append one event. `actor` is None for what the system did by itself."""
    return Event.rows.create(
        project=project,
        actor=actor,
        action=action,
        subject_type=subject._meta.label_lower,
        subject_id=str(subject.pk),
        old=old,
        new=new,
        reason=reason,
    )
