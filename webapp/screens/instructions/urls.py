from __future__ import annotations

from django.urls import path

from webapp.screens.instructions import views

urlpatterns = [
    path("instructions/", views.listing, name="instructions"),
    path("instructions/<int:pk>/", views.detail, name="instruction"),
]
