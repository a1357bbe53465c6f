from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.rounds import DOUBLE_SHARE, SIZE


class NewRound(forms.Form):
    size = forms.IntegerField(
        label=_("Items"),
        min_value=1,
        max_value=5000,
        initial=SIZE,
        help_text=_("Instructions that no round has had yet come first."),
    )
    double_share = forms.IntegerField(
        label=_("Reviewed by two, in %"),
        min_value=0,
        max_value=100,
        initial=round(DOUBLE_SHARE * 100),
        help_text=_("Blind to each other; agreement is measured on these."),
    )
    seed = forms.IntegerField(
        label=_("Seed"),
        min_value=0,
        max_value=2**31 - 1,
        initial=0,
        help_text=_("Decides which items and who gets them; the same seed chooses the same."),
    )
    name = forms.CharField(
        label=_("Name"), max_length=120, required=False, help_text=_("Only for you to find it again.")
    )
    rubric_only = forms.BooleanField(
        label=_("Rubric only"),
        required=False,
        help_text=_("No verdicts are asked for, so its gold yields no preference pairs."),
    )


class Reason(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=500)
