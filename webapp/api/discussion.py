"""Discussion of one's own items: read, write, answer, withdraw, resolve. Names of people are in none of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import discussion
from annotation.models import Comment, RoundItem
from webapp.accounts.models import User
from webapp.api.review import ANY_OBJECT, ReviewView, body_of, problem, project_of, user_of

STEPS: dict[str, Callable[[User, Comment], None]] = {
    "withdraw": lambda actor, comment: discussion.withdraw(actor=actor, comment=comment),
    "resolve": lambda actor, comment: discussion.resolve(actor=actor, comment=comment),
    "reopen": lambda actor, comment: discussion.resolve(actor=actor, comment=comment, resolved=False),
}


class Discussion(ReviewView):
    @extend_schema(responses=ANY_OBJECT)
    def get(self, request: Request, assignment_id: UUID) -> Response:
        """What one may read of an item's discussion now: {threads}."""
        return _shown(user_of(request), _item(request, assignment_id))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=ANY_OBJECT)
    def post(self, request: Request, assignment_id: UUID) -> Response:
        """Begin a thread or answer in one: {id, text, criterion, thread}. The same id again has no second effect."""
        body, item = body_of(request), _item(request, assignment_id)
        text, criterion = body.get("text"), body.get("criterion") or ""
        if not isinstance(text, str) or not isinstance(criterion, str):
            raise ParseError(_("`text` and `criterion` must be text."))
        thread = body.get("thread")
        try:
            discussion.say(
                actor=user_of(request),
                item=item,
                comment_id=_uuid(body.get("id"), "id"),
                text=text,
                criterion=criterion,
                thread_id=None if thread is None else _uuid(thread, "thread"),
            )
        except discussion.DiscussionRefused as refused:
            return problem(422, str(refused))
        except Comment.DoesNotExist as absent:
            raise NotFound(_("There is no such thread.")) from absent
        return _shown(user_of(request), item)


class DiscussionStep(ReviewView):
    step = ""

    @extend_schema(request=None, responses=ANY_OBJECT)
    def post(self, request: Request, assignment_id: UUID, comment_id: UUID) -> Response:
        actor, item = user_of(request), _item(request, assignment_id)
        try:
            comment = discussion.find(actor=actor, item=item, comment_id=comment_id)
            STEPS[self.step](actor, comment)
        except discussion.DiscussionRefused as refused:
            return problem(422, str(refused))
        except Comment.DoesNotExist as absent:
            raise NotFound(_("There is no such comment.")) from absent
        return _shown(actor, item)


def _item(request: Request, assignment_id: UUID) -> RoundItem:
    return discussion.own_item(
        actor=user_of(request), assignment_id=assignment_id, project_id=project_of(request)
    )


def _uuid(value: object, name: str) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as fault:
        raise ParseError(_("`%(name)s` must be a UUID.") % {"name": name}) from fault


def _shown(actor: User, item: RoundItem) -> Response:
    threads = discussion.of_item(actor=actor, item=item)
    return Response(
        {
            "threads": [
                {
                    **_said(actor, thread.first),
                    "criterion": thread.first.criterion,
                    "resolved": thread.resolved,
                    "replies": [_said(actor, reply) for reply in thread.replies],
                }
                for thread in threads
            ]
        }
    )


def _said(actor: User, comment: Comment) -> dict[str, Any]:
    others = "reviewer" if comment.assignment_id else "lead"
    return {
        "id": str(comment.pk),
        "by": "you" if comment.author_id == actor.pk else others,
        "text": comment.text,
        "at": comment.at.isoformat(),
    }
