"""What one may look for: kept in the address, so that a search can be sent to a colleague."""

from __future__ import annotations

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from annotation.models import RoundItem
from rubric_engine.attachments import intake, lines
from rubric_engine.attachments.faults import AttachmentRefused
from rubric_engine.attachments.intake import Taken
from rubric_engine.models import Instruction
from webapp.accounts.models import Project

TABLE_KINDS = [("lab_table", _("Lab table")), ("vitals", _("Vital signs"))]
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


class NewPicture(forms.Form):
    prefix = "picture"

    file = forms.FileField(
        label=_("Image"),
        max_length=255,
        widget=forms.ClearableFileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_("PNG, JPEG or WebP, at most 12 MiB. Place, camera and comments in it are not kept."),
    )
    description = forms.CharField(
        label=_("What it shows"),
        max_length=intake.DESCRIPTION,
        help_text=_("In words, for those who can't see it. No name of a patient."),
    )
    title = forms.CharField(label=_("Title"), max_length=intake.TITLE, required=False)

    def taken(self) -> Taken:
        """Raises AttachmentRefused."""
        asked = self.cleaned_data
        data = intake.read_picture(asked["file"])
        return intake.image(data=data, title=asked["title"], description=asked["description"])


class NewTable(forms.Form):
    prefix = "table"

    kind = forms.ChoiceField(label=_("It is"), choices=TABLE_KINDS)
    title = forms.CharField(label=_("Title"), max_length=intake.TITLE, required=False)
    lines = forms.CharField(
        label=_("Measurements"),
        max_length=20_000,
        widget=forms.Textarea(
            attrs={"rows": 4, "spellcheck": "false", "placeholder": "Potassium; 6.1; mmol/L; 3.5; 5.1"}
        ),
        help_text=_(
            "One a line: name; value; unit; low; high. Cells of a spreadsheet can be pasted. "
            "A series: 08:00 = 118 | 09:00 = 124."
        ),
    )

    def taken(self) -> Taken:
        """Raises AttachmentRefused."""
        asked = self.cleaned_data
        rows = lines.rows_of(asked["lines"])
        field = "rows" if asked["kind"] == intake.LAB_TABLE else "signs"
        try:
            return intake.structured(kind=asked["kind"], given={"title": asked["title"], field: rows})
        except AttachmentRefused as fault:
            raise AttachmentRefused(
                "lines" if fault.field else "", f"{fault.field}: {fault.reason}"
            ) from fault
