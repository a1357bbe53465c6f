"""The web process, as gunicorn loads it."""

from __future__ import annotations

import os

from django.core.checks import Tags
from django.core.management import BaseCommand
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.project")
os.environ.setdefault("GOLDROUNDS_PROCESS", "web")
application = get_wsgi_application()
BaseCommand().check(tags=[Tags.database], databases=["default"])  # refuses a forgetful database
