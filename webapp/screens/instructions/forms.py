"""What one may look for: kept in the address, so that a search can be sent to a colleague."""

from __future__ import annotations

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from annotation.models import RoundItem
from rubric_engine.models import Instruction
from webapp.accounts.models import Project

IN_ROUND = [("", _("All")), ("yes", _("In a round")), ("no", _("Not yet in a round"))]


class Search(forms.Form):
    q = forms.CharField(
        label=_("Search the text"), required=False, max_length=200, widget=forms.TextInput({"type": "search"})
    )
    specialty = forms.CharField(label=_("Specialty"), required=False, widget=forms.Select())
    source = forms.CharField(label=_("Source"), required=False, widget=forms.Select())
    used = forms.ChoiceField(label=_("Rounds"), required=False, choices=IN_ROUND)

    def offer(self, *, specialties: list[str], sources: list[str]) -> None:
        for name, values in (("specialty", specialties), ("source", sources)):
            widget = self.fields[name].widget
            assert isinstance(widget, forms.Select)
            widget.choices = [("", _("All")), *((value, value) for value in values)]

    def narrow(self, rows: QuerySet[Instruction], project: Project) -> QuerySet[Instruction]:
        """The rows that match; a value that isn't valid narrows nothing."""
        self.is_valid()
        asked = self.cleaned_data
        if asked.get("q"):
            rows = rows.filter(text__icontains=asked["q"])
        if asked.get("specialty"):
            rows = rows.filter(specialty=asked["specialty"])
        if asked.get("source"):
            rows = rows.filter(source_key=asked["source"])
        if asked.get("used"):
            used = Exists(RoundItem.objects.of(project).filter(instruction=OuterRef("pk")))
            rows = rows.filter(used if asked["used"] == "yes" else ~used)
        return rows
