from __future__ import annotations

from django.urls import path

from webapp.screens.instructions import attaching, views

urlpatterns = [
    path("instructions/", views.listing, name="instructions"),
    path("instructions/<int:pk>/", views.detail, name="instruction"),
    path("instructions/<int:pk>/attachments/", attaching.create, name="attachment_create"),
    path("attachments/<uuid:attachment_id>/remove/", attaching.remove, name="attachment_remove"),
    path("attachments/<uuid:attachment_id>/picture/", attaching.picture, name="attachment_picture"),
]
