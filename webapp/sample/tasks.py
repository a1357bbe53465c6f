"""The story's clock: one due step at a time; a second worker finds the lock taken and leaves."""

from __future__ import annotations

from celery import shared_task
from django.core.cache import cache

from webapp.sample.story import advance


@shared_task(ignore_result=True)
def tell() -> None:
    if not cache.add("sample-story", "told", 50):
        return
    try:
        advance()
    finally:
        cache.delete("sample-story")
