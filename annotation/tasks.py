"""The Celery task of annotation: short, idempotent, safe when run twice at once. Rows say what is due."""

from __future__ import annotations

from celery import shared_task

from annotation.settling import settle_due as settle_what_is_due


@shared_task(ignore_result=True)
def settle_due() -> None:
    settle_what_is_due()
