from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.shortcuts import get_object_or_404

from annotation.models import RoundItem
from rubric_engine.models import Attachment, Instruction, RubricVersion
from webapp.accounts.models import Project


def shown(project: Project, pk: int) -> dict[str, Any]:
    """What the page of one instruction shows. Raises Http404."""
    rubrics = RubricVersion.objects.of(project).prefetch_related("criteria").order_by("pk")
    items = RoundItem.objects.of(project).select_related("round").order_by("round__number")
    attached = Attachment.objects.of(project).filter(removed_at=None)
    instruction = get_object_or_404(
        Instruction.objects.of(project).prefetch_related(
            "responses",
            Prefetch("rubrics", queryset=rubrics),
            Prefetch("round_items", queryset=items),
            Prefetch("attachments", queryset=attached),
        ),
        pk=pk,
    )
    return {"instruction": instruction, "attachments": instruction.attachments.all(), "project": project}
