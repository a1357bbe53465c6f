from __future__ import annotations

from django.urls import path

from webapp.screens.review import views

urlpatterns = [
    path("review/<uuid:round_id>/", views.screen, name="review"),
    path("review/signed-in/", views.signed_in, name="review-signed-in"),
]
