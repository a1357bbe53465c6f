from __future__ import annotations

from django.urls import path

from webapp.screens.items import views

urlpatterns = [path("items/<uuid:pk>/", views.item, name="item")]
