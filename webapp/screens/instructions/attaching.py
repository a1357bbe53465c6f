"""Attachments of an instruction: added and removed on its page, a picture shown."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from rubric_engine.attachments import changes
from rubric_engine.attachments.faults import AttachmentRefused
from rubric_engine.models import Attachment, Instruction
from webapp.accounts.access import project_view
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import Permission
from webapp.pictures import picture_response
from webapp.screens.instructions.forms import NewPicture, NewTable
from webapp.screens.instructions.reads import shown


@require_POST
@project_view(Permission.IMPORT_DATA)
def create(request: HttpRequest, project: Project, pk: int) -> HttpResponse:
    instruction = get_object_or_404(Instruction.objects.of(project).select_related("project"), pk=pk)
    is_picture = "add-picture" in request.POST
    form = NewPicture(request.POST, request.FILES) if is_picture else NewTable(request.POST)
    assert isinstance(request.user, User)
    if form.is_valid():
        try:
            changes.add(actor=request.user, instruction=instruction, taken=form.taken())
        except AttachmentRefused as fault:
            form.add_error(fault.field if fault.field in form.fields else None, fault.reason)
    if not form.errors:
        return redirect(_attachments_of(project, pk))
    context = {
        **shown(project, pk),
        "picture_form": form if is_picture else NewPicture(),
        "table_form": NewTable() if is_picture else form,
        "attaching": True,
    }
    return render(request, "instructions/detail.html", context, status=422)


@require_POST
@project_view(Permission.IMPORT_DATA)
def remove(request: HttpRequest, project: Project, attachment_id: UUID) -> HttpResponse:
    found = get_object_or_404(Attachment.objects.of(project), pk=attachment_id, removed_at=None)
    assert isinstance(request.user, User)
    try:
        changes.remove(actor=request.user, project=project, attachment_id=attachment_id)
    except AttachmentRefused as fault:
        messages.error(request, fault.reason)
    return redirect(_attachments_of(project, found.instruction_id))


@require_safe
@project_view(Permission.SEE_INSTRUCTIONS)
def picture(request: HttpRequest, project: Project, attachment_id: UUID) -> HttpResponseBase:
    return picture_response(get_object_or_404(Attachment.objects.of(project), pk=attachment_id))


def _attachments_of(project: Project, pk: int) -> str:
    return f"{reverse('instruction', args=[project.slug, pk])}#attachments"
