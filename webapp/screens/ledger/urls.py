from __future__ import annotations

from django.urls import path

from webapp.screens.ledger import views

urlpatterns = [
    path("ledger/", views.page, name="ledger"),
    path("ledger/ledger.csv", views.download, name="ledger-csv"),
]
