from __future__ import annotations

from django.urls import path

from webapp.screens.adjudication import views

urlpatterns = [path("adjudication/", views.page, name="adjudication")]
