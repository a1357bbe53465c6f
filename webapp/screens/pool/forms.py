from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class Retire(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("Kept in the audit log; the drafts that it shaped stay as they are."),
    )
