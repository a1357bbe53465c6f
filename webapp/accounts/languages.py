"""The language of a person's interface. It is theirs alone, so no project's history tells of it."""

from __future__ import annotations

from django.conf import settings

from webapp.accounts.models import User


class LanguageUnknown(ValueError):
    """There is no such interface language."""


def choose(*, actor: User, language: str) -> None:
    """Raises LanguageUnknown."""
    if language not in dict(settings.LANGUAGES):
        raise LanguageUnknown(language)
    User.objects.filter(pk=actor.pk).update(language=language)
