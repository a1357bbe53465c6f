from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.fates import FATES, Asked
from annotation.models import Round
from rubric_engine.rubric import Dimension

NAMES = {"kept": _("Kept"), "edited": _("Edited"), "rejected": _("Rejected"), "added": _("Added")}
WRONG = ("edited", "rejected", "added")


class Filter(forms.Form):
    """Which entries one looks at; what isn't known is no filter."""

    round = forms.ChoiceField(label=_("Round"), required=False)
    drafter = forms.ChoiceField(label=_("Drafter"), required=False)
    specialty = forms.ChoiceField(label=_("Specialty"), required=False)
    dimension = forms.ChoiceField(
        label=_("Dimension"),
        required=False,
        choices=[("", _("all")), *((one.value, one.value) for one in Dimension)],
    )
    fate = forms.ChoiceField(
        label=_("What happened"), required=False, choices=[("", _("all changes")), *NAMES.items()]
    )

    def offer(self, *, rounds: Iterable[Round], drafters: Iterable[str], specialties: Iterable[str]) -> None:
        numbered = [(str(round.pk), _("Round %(n)d") % {"n": round.number}) for round in rounds]
        self._offer("round", numbered)
        self._offer("drafter", [(name, name) for name in drafters])
        self._offer("specialty", [(name, name) for name in specialties])

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("all")), *choices]

    def asked(self, *, every_fate: bool = False) -> Asked:
        self.is_valid()
        said = self.cleaned_data
        fate = said.get("fate") or ""
        return Asked(
            round=UUID(said["round"]) if said.get("round") else None,
            drafter=said.get("drafter") or None,
            specialty=said.get("specialty") or None,
            dimension=said.get("dimension") or None,
            fates=(fate,) if fate in FATES else FATES if every_fate else WRONG,
        )
