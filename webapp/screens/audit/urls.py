from __future__ import annotations

from django.urls import path

from webapp.screens.audit import views

urlpatterns = [path("audit/", views.listing, name="audit")]
