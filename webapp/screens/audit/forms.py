from __future__ import annotations

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from webapp.audit.models import Event


class Filter(forms.Form):
    action = forms.CharField(label=_("Action begins with"), required=False, max_length=64)
    person = forms.CharField(label=_("User name"), required=False, max_length=150)
    subject = forms.CharField(label=_("Id of the subject"), required=False, max_length=64)

    def narrow(self, rows: QuerySet[Event]) -> QuerySet[Event]:
        self.is_valid()
        asked = self.cleaned_data
        if asked.get("action"):
            rows = rows.filter(action__startswith=asked["action"])
        if asked.get("person"):
            rows = rows.filter(actor__username=asked["person"])
        if asked.get("subject"):
            rows = rows.filter(subject_id=asked["subject"])
        return rows
