from __future__ import annotations

from django.urls import path

from webapp.screens.pool import views

urlpatterns = [
    path("pool/", views.overview, name="pool"),
    path("pool/freeze/", views.freeze, name="pool_freeze"),
    path("pool/renew/", views.renew, name="pool_renew"),
    path("pool/<uuid:pk>/activate/", views.activate, name="pool_activate"),
    path("pool/exemplars/<int:pk>/", views.exemplar, name="exemplar"),
]
