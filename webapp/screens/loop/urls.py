from __future__ import annotations

from django.urls import path

from webapp.screens.loop import views

urlpatterns = [
    path("", views.dashboard, name="loop"),
    path("live/", views.live, name="loop_live"),
    path("workers/", views.workers, name="workers"),
]
