from __future__ import annotations

from django.urls import path

from webapp.screens.queue import views

urlpatterns = [path("queue/", views.mine, name="queue")]
