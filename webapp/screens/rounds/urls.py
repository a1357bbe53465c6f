from __future__ import annotations

from django.urls import path

from webapp.screens.rounds import views

urlpatterns = [
    path("rounds/", views.listing, name="rounds"),
    path("rounds/new/", views.create, name="round_create"),
    path("rounds/<uuid:pk>/", views.detail, name="round"),
    path("rounds/<uuid:pk>/live/", views.live, name="round_live"),
    path("rounds/<uuid:pk>/draft/", views.draft, name="round_draft"),
    path("rounds/<uuid:pk>/stop/", views.stop_drafting, name="round_stop"),
    path("rounds/<uuid:pk>/open/", views.open_it, name="round_open"),
    path("rounds/<uuid:pk>/close/", views.close, name="round_close"),
    path("rounds/<uuid:pk>/reopen/", views.reopen, name="round_reopen"),
]
