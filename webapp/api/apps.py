from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "webapp.api"
    label = "api"

    def ready(self) -> None:
        """Register what the OpenAPI schema says of our tokens."""
        import webapp.api.schema  # noqa: F401
