"""Rounds, items, assignments, operations, gold: the states that people change.

`Assignment.document` is the fold of its operations (`annotation.document`); the operations are the
truth and are append-only (trigger in the first migration).
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rubric_engine.models import (
    Criterion,
    Instruction,
    PoolVersion,
    Response,
    RubricVersion,
    VerdictOrigin,
)
from webapp.accounts.models import ProjectRow, ScopedManager


class RoundState(models.TextChoices):
    CREATED = "created", _("Created")
    DRAFTING = "drafting", _("Drafting")
    DRAFTED = "drafted", _("Drafted")
    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")


class Round(ProjectRow):
    """A batch of items drafted with one pool version. Pass counts are written when it closes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=10, choices=RoundState.choices, default=RoundState.CREATED)
    size = models.PositiveIntegerField(default=500)
    seed = models.PositiveIntegerField(default=0)
    double_share = models.FloatField(default=0.15)
    blind_first_share = models.FloatField(default=0.0)
    seeded_share = models.FloatField(default=0.0)
    repeat_share = models.FloatField(default=0.0)
    rubric_only = models.BooleanField(default=False)
    pool_version = models.ForeignKey(PoolVersion, on_delete=models.PROTECT, null=True, related_name="rounds")
    deadline = models.DateTimeField(null=True, blank=True)
    reviewed = models.PositiveIntegerField(null=True)
    strict_passes = models.PositiveIntegerField(null=True)
    minor_passes = models.PositiveIntegerField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    objects = ScopedManager["Round"]()
    rows: ClassVar = models.Manager["Round"]()

    class Meta(ProjectRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="round_number_once"),
            models.CheckConstraint(condition=models.Q(state__in=RoundState.values), name="round_state_known"),
            models.CheckConstraint(
                condition=models.Q(double_share__gte=0, double_share__lte=1),
                name="round_double_share_a_share",
            ),
            *(
                models.CheckConstraint(
                    condition=models.Q((f"{share}__gte", 0), (f"{share}__lte", 1)),
                    name=f"round_{share}_a_share",
                )
                for share in ("blind_first_share", "seeded_share", "repeat_share")
            ),
        ]


class DraftState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    DRAFTED = "drafted", _("Drafted")
    FAILED = "failed", _("Failed")


class RoundItem(ProjectRow):
    """One instruction in one round, with the draft that reviewers correct."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveIntegerField()
    instruction = models.ForeignKey(Instruction, on_delete=models.PROTECT, related_name="round_items")
    draft_state = models.CharField(max_length=8, choices=DraftState.choices, default=DraftState.QUEUED)
    draft_error = models.TextField(blank=True)
    draft = models.ForeignKey(RubricVersion, on_delete=models.PROTECT, null=True, related_name="+")
    double = models.BooleanField(default=False)

    objects = ScopedManager["RoundItem"]()
    rows: ClassVar = models.Manager["RoundItem"]()

    class Meta(ProjectRow.Meta):
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["round", "position"], name="item_position_once"),
            models.UniqueConstraint(fields=["round", "instruction"], name="item_instruction_once"),
            models.CheckConstraint(
                condition=~models.Q(draft_state="drafted") | models.Q(draft__isnull=False),
                name="drafted_item_has_draft",
            ),
        ]


class ProbeKind(models.TextChoices):
    BLIND_FIRST = "blind_first", _("Judged before the draft")
    SEEDED = "seeded", _("Seeded error")
    REPEAT = "repeat", _("Repeated")


class Probe(ProjectRow):
    """An item by which reviewing itself is measured. Nothing that a reviewer reads says which items these are.

    `planted`, of a seeded error: {key, text, field, drafted, shown}, see `annotation.planting`.
    """

    item = models.OneToOneField(RoundItem, on_delete=models.PROTECT, related_name="probe")
    kind = models.CharField(max_length=12, choices=ProbeKind.choices)
    planted = models.JSONField(null=True)

    objects = ScopedManager["Probe"]()
    rows: ClassVar = models.Manager["Probe"]()

    class Meta(ProjectRow.Meta):
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="seeded", planted__isnull=False)
                | (~models.Q(kind="seeded") & models.Q(planted__isnull=True)),
                name="seeded_probe_says_what_is_planted",
            ),
        ]


class AssignmentState(models.TextChoices):
    OPEN = "open", _("Open")
    DRAFT = "draft", _("Begun")
    SUBMITTED = "submitted", _("Done")
    SKIPPED = "skipped", _("Skipped")


class Slot(models.IntegerChoices):
    FIRST = 0, _("First reviewer")
    SECOND = 1, _("Second reviewer")
    ADJUDICATOR = 2, _("Adjudicator")
    REPEAT = 3, _("Again, by one who had it before")


class Assignment(ProjectRow):
    """One reviewer's work on one item. Its id is random, and so tells nothing of the other slot.

    `revision` counts the acknowledged operations; `fence` grows with each claim of the lease.
    `response_order`: ids of the responses in the order that this reviewer sees, shuffled by seed.
    `words`: to be read before one can decide. `returned_at`: the slot went to somebody else since; what was
    written here is kept.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(RoundItem, on_delete=models.PROTECT, related_name="assignments")
    slot = models.PositiveSmallIntegerField(choices=Slot.choices)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="assignments"
    )
    position = models.PositiveIntegerField(help_text=_("Place in the reviewer's own list, from 1."))
    state = models.CharField(max_length=10, choices=AssignmentState.choices, default=AssignmentState.OPEN)
    flagged = models.BooleanField(default=False)
    document = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=0)
    response_order = models.JSONField(default=list)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    active_ms = models.PositiveBigIntegerField(default=0)
    words = models.PositiveIntegerField(default=0)
    submitted_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)

    objects = ScopedManager["Assignment"]()
    rows: ClassVar = models.Manager["Assignment"]()

    class Meta(ProjectRow.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["item", "slot"],
                condition=models.Q(returned_at__isnull=True),
                name="one_assignment_per_slot",
            ),
            models.UniqueConstraint(
                fields=["item", "reviewer"], condition=~models.Q(slot=3), name="one_slot_per_reviewer"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=AssignmentState.values), name="assignment_state_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="submitted") | models.Q(submitted_at__isnull=False),
                name="submitted_has_time",
            ),
        ]
        indexes = [models.Index(fields=["reviewer", "state", "position"])]


STANDING = Q(returned_at__isnull=True)
"""Assignments that hold their slot."""
LISTED = STANDING | Q(state=AssignmentState.SKIPPED)
"""Assignments that their reviewer still finds in the own list: what one skipped oneself stays there."""


class Operation(ProjectRow):
    """One acknowledged change. The same id again is answered from `answer`, without a second effect."""

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="operations")
    operation_id = models.UUIDField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveIntegerField(help_text=_("The revision that this operation made."))
    kind = models.CharField(max_length=24)
    payload = models.JSONField()
    body_sha256 = models.CharField(max_length=64)
    fence = models.PositiveIntegerField()
    answer = models.JSONField(
        default=dict, help_text=_("What the sender was told: {revision, state, flagged}.")
    )
    at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager["Operation"]()
    rows: ClassVar = models.Manager["Operation"]()

    class Meta(ProjectRow.Meta):
        ordering = ["revision"]
        constraints = [
            models.UniqueConstraint(fields=["actor", "operation_id"], name="operation_once_per_actor"),
            models.UniqueConstraint(fields=["assignment", "revision"], name="revision_once"),
        ]


class LateOperation(ProjectRow):
    """A write that came under a lost lease: kept beside, never dropped."""

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="late_operations")
    operation_id = models.UUIDField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    fence = models.PositiveIntegerField()
    body = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager["LateOperation"]()
    rows: ClassVar = models.Manager["LateOperation"]()

    class Meta(ProjectRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["actor", "operation_id"], name="late_operation_once"),
        ]


class Gold(ProjectRow):
    """An item that passed review.

    `withdrawn_at`: its review was reopened, so that it is gold no longer; `superseded_by` then points to
    the next version, once there is one. At most one gold of an item is live.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(RoundItem, on_delete=models.PROTECT, related_name="gold")
    rubric = models.OneToOneField(RubricVersion, on_delete=models.PROTECT, related_name="gold")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="+")
    superseded_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    strict = models.BooleanField()
    minor = models.BooleanField()
    ledger = models.JSONField(default=dict, help_text=_("{kept, edited, rejected, added}: lists of entries."))
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager["Gold"]()
    rows: ClassVar = models.Manager["Gold"]()

    class Meta(ProjectRow.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["item"], condition=models.Q(withdrawn_at__isnull=True), name="one_live_gold_per_item"
            ),
            models.CheckConstraint(
                condition=models.Q(superseded_by__isnull=True) | models.Q(withdrawn_at__isnull=False),
                name="superseded_gold_is_withdrawn",
            ),
            models.CheckConstraint(
                condition=models.Q(strict=False) | models.Q(minor=True), name="strict_pass_is_minor_too"
            ),
        ]


class DueSettlement(ProjectRow):
    """A decision whose consequences are still to be drawn; rows are only added and, once settled, removed.

    Several of one item are settled together. `fault`: why the last try failed, shown to who runs the instance.
    """

    item = models.ForeignKey(RoundItem, on_delete=models.PROTECT, related_name="+")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    slot = models.PositiveSmallIntegerField(choices=Slot.choices)
    due_at = models.DateTimeField(db_index=True)
    fault = models.CharField(max_length=300, blank=True)

    objects = ScopedManager["DueSettlement"]()
    rows: ClassVar = models.Manager["DueSettlement"]()


class GoldVerdict(ProjectRow):
    gold = models.ForeignKey(Gold, on_delete=models.PROTECT, related_name="verdicts")
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="+")
    met = models.BooleanField()
    origin = models.CharField(max_length=10, choices=VerdictOrigin.choices)
    rationale = models.TextField(blank=True)
    evidence = models.JSONField(null=True)

    objects = ScopedManager["GoldVerdict"]()
    rows: ClassVar = models.Manager["GoldVerdict"]()

    class Meta(ProjectRow.Meta):
        constraints = [
            models.UniqueConstraint(fields=["gold", "response", "criterion"], name="gold_verdict_once"),
        ]


class Comment(ProjectRow):
    """Words on an item or one of its criteria. The first of a thread may come from a review (`assignment`);
    its id is the one that the browser made. Who may read it when: `annotation.discussion`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(RoundItem, on_delete=models.PROTECT, related_name="comments")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, null=True, related_name="comments")
    thread = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="replies")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    criterion = models.CharField(max_length=64, blank=True)
    text = models.TextField()
    at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = ScopedManager["Comment"]()
    rows: ClassVar = models.Manager["Comment"]()

    class Meta(ProjectRow.Meta):
        indexes = [models.Index(fields=["project", "at"], condition=models.Q(thread=None), name="threads")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(thread__isnull=True) | models.Q(resolved_at__isnull=True),
                name="only_a_thread_is_resolved",
            ),
        ]


class Flag(ProjectRow):
    """A flag that a reviewer raised on an item, and what a lead answered."""

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="flags")
    reason = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    raised_at = models.DateTimeField(auto_now_add=True)
    lowered_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = ScopedManager["Flag"]()
    rows: ClassVar = models.Manager["Flag"]()

    class Meta(ProjectRow.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["assignment", "reason"],
                condition=models.Q(lowered_at__isnull=True),
                name="one_live_flag_per_reason",
            ),
        ]
