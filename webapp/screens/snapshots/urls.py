from __future__ import annotations

from django.urls import path

from webapp.screens.snapshots import views

urlpatterns = [
    path("snapshots/", views.listing, name="snapshots"),
    path("snapshots/live/", views.live, name="snapshots_live"),
    path("snapshots/freeze/", views.freeze, name="snapshot_freeze"),
    path("snapshots/<uuid:pk>/", views.detail, name="snapshot"),
]
