from __future__ import annotations

from django.urls import path

from webapp.screens.flags import views

urlpatterns = [
    path("flags/", views.listing, name="flags"),
    path("flags/<int:pk>/", views.answer, name="flag_answer"),
]
