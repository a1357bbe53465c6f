from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from training.snapshots import LicenceCount


class NewSnapshot(forms.Form):
    """What goes into a snapshot. The licences offered are those of the project's instructions."""

    name = forms.CharField(
        label=_("Name"), max_length=120, required=False, help_text=_("Only for you to find it again.")
    )
    seed = forms.IntegerField(
        label=_("Seed of the split"),
        min_value=0,
        max_value=2**31 - 1,
        initial=0,
        help_text=_(
            "Clusters go to train, validation and test, 70 / 15 / 15; the same seed gives the same split."
        ),
    )
    licences = forms.MultipleChoiceField(
        label=_("Licences"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Chosen at first: those that permit passing the texts on."),
    )
    include_imported = forms.BooleanField(
        label=_("Include imported preferences"),
        required=False,
        initial=True,
        help_text=_("They keep their own label strength and are marked as imported in every file."),
    )

    def __init__(self, *args: Any, licences: list[LicenceCount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["licences"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(one.licence, self._named(one)) for one in licences]
        field.initial = [one.licence for one in licences if one.permitted]

    @staticmethod
    def _named(one: LicenceCount) -> str:
        named = one.licence or str(_("not stated"))
        return f"{named} ({one.instructions:,})"

    def options(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("seed", "licences", "include_imported")}
