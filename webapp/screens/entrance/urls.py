from __future__ import annotations

from django.urls import path

from webapp.screens.entrance import views

urlpatterns = [
    path("", views.start, name="start"),
    path("accounts/language/", views.language, name="language"),
    path("accounts/sample/<str:username>/", views.sample_sign_in, name="sample_sign_in"),
]
