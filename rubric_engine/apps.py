from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RubricEngineConfig(AppConfig):
    name = "rubric_engine"
    verbose_name = _("Rubric engine")
    default_auto_field = "django.db.models.BigAutoField"
