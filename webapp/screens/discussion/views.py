from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from annotation import discussion
from annotation.models import Assignment, Comment
from webapp.accounts.access import project_view
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import Permission, allowed, role_of

SHOWN = 50


@require_safe
@project_view(Permission.DISCUSS)
def listing(request: HttpRequest, project: Project) -> HttpResponse:
    """Threads that the person may read, those with the newest first words on top."""
    assert isinstance(request.user, User)
    resolved = request.GET.get("show") == "resolved"
    threads, more = discussion.recent(actor=request.user, project=project, resolved=resolved, most=SHOWN)
    lead = allowed(role_of(request.user, project), Permission.RUN_ROUNDS)
    own = _own_reviews(project, request.user, threads)
    context = {
        "project": project,
        "rows": [_row(thread, request.user, own) for thread in threads],
        "more": more,
        "resolved": resolved,
        "lead": lead,
    }
    return render(request, "discussion/list.html", context)


@require_POST
@project_view(Permission.DISCUSS)
def reply(request: HttpRequest, project: Project, pk: UUID) -> HttpResponse:
    thread = _thread(request, project, pk)
    assert isinstance(request.user, User)
    try:
        discussion.say(
            actor=request.user,
            item=thread.item,
            comment_id=uuid.uuid4(),
            text=request.POST.get("text", ""),
            thread_id=thread.pk,
        )
    except discussion.DiscussionRefused as refused:
        messages.error(request, str(refused))
    return redirect(f"/p/{project.slug}/discussion/#t{pk}")


@require_POST
@project_view(Permission.DISCUSS)
def resolve(request: HttpRequest, project: Project, pk: UUID) -> HttpResponse:
    thread = _thread(request, project, pk)
    assert isinstance(request.user, User)
    try:
        discussion.resolve(actor=request.user, comment=thread, resolved=request.POST.get("to") != "open")
        messages.success(request, _("Done."))
    except discussion.DiscussionRefused as refused:
        messages.error(request, str(refused))
    return redirect("discussion", project.slug)


def _thread(request: HttpRequest, project: Project, pk: UUID) -> Comment:
    assert isinstance(request.user, User)
    readable = discussion.readable(actor=request.user, project=project)
    found = readable.select_related("item__project", "project").filter(pk=pk, thread=None).first()
    if found is None:
        raise Http404
    return found


def _row(thread: discussion.Thread, reader: User, own: dict[UUID, Assignment]) -> dict[str, Any]:
    item = thread.first.item
    review = own.get(item.pk)
    if review is not None:
        texts = {one["key"]: one["text"] for one in review.document["criteria"]}
    else:
        texts = {one.key: one.text for one in (item.draft.criteria.all() if item.draft else ())}
    return {
        "thread": thread,
        "about": texts.get(thread.first.criterion, ""),
        "mine": thread.first.author_id == reader.pk,
        "own": review.pk if review else "",
    }


def _own_reviews(project: Project, reader: User, threads: list[discussion.Thread]) -> dict[UUID, Assignment]:
    """By item: the reader's own review, whose words stand for the draft's: a draft is shown to nobody who reviews it
    but as it was given to them."""
    items = [thread.first.item_id for thread in threads]
    own = Assignment.objects.of(project).filter(reviewer=reader, item__in=items)
    return {review.item_id: review for review in own.order_by("-slot")}
