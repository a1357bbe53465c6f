from __future__ import annotations

from django.apps import AppConfig


class ScreensConfig(AppConfig):
    name = "webapp.screens"
    label = "screens"
