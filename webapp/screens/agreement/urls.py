from __future__ import annotations

from django.urls import path

from webapp.screens.agreement import views

urlpatterns = [path("agreement/", views.page, name="agreement")]
