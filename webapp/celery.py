"""The Celery app. A message only nudges: rows in PostgreSQL say what is due."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.project")

app = Celery("goldrounds")
app.config_from_object("django.conf:settings", namespace="CELERY")
# kombu's redelivery sweep otherwise adds up to 100 s to a lost message.
app.conf.broker_transport_options = {
    **app.conf.broker_transport_options,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
app.autodiscover_tasks(["webapp.jobs", "webapp.sample", "annotation", "training"])
