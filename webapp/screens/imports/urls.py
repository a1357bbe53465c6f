from __future__ import annotations

from django.urls import path

from webapp.screens.imports import views

urlpatterns = [
    path("imports/", views.listing, name="imports"),
    path("imports/new/", views.create, name="import_create"),
    path("imports/<uuid:pk>/", views.detail, name="import"),
    path("imports/<uuid:pk>/live/", views.live, name="import_live"),
    path("imports/<uuid:pk>/stop/", views.stop, name="import_stop"),
]
