from __future__ import annotations

from django.urls import path

from webapp.screens.quality import views

urlpatterns = [
    path("quality/", views.everyone, name="quality"),
    path("my-work/", views.mine, name="quality_mine"),
    path("quality/hours.csv", views.hours, name="quality_hours"),
]
