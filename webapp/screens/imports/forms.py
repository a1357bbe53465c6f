from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from rubric_engine.curation.imports import SUFFIXES
from rubric_engine.models import ImportKind


class NewImport(forms.Form):
    file = forms.FileField(
        label=_("File"),
        max_length=255,
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(SUFFIXES)}),
        help_text=_("JSONL, CSV or Parquet, in UTF-8; JSONL and CSV also gzipped. At most 2 GiB."),
    )
    kind = forms.ChoiceField(
        label=_("It holds"),
        required=False,
        choices=[("", _("What its first row says")), *ImportKind.choices],
        help_text=_("Instructions come before what refers to them, unless the rows carry them along."),
    )
    mapping = forms.CharField(
        label=_("Columns"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(
            attrs={"rows": 3, "spellcheck": "false", "placeholder": "instruction = question"}
        ),
        help_text=_("Only where names differ: our field = the file's column, one a line."),
    )

    def clean_mapping(self) -> dict[str, str]:
        mapping: dict[str, str] = {}
        for number, line in enumerate(self.cleaned_data["mapping"].splitlines(), start=1):
            if not line.strip():
                continue
            ours, separator, theirs = (part.strip() for part in line.partition("="))
            if not (separator and ours and theirs):
                raise ValidationError(
                    _now("Line %(number)d: write our field = the file's column."), params={"number": number}
                )
            if ours in mapping:
                raise ValidationError(_now("%(ours)s is mapped twice; map it once."), params={"ours": ours})
            mapping[ours] = theirs
        return mapping
