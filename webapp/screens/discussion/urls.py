from __future__ import annotations

from django.urls import path

from webapp.screens.discussion import views

urlpatterns = [
    path("discussion/", views.listing, name="discussion"),
    path("discussion/<uuid:pk>/reply/", views.reply, name="thread_reply"),
    path("discussion/<uuid:pk>/resolve/", views.resolve, name="thread_resolve"),
]
