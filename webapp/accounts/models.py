"""Who may act, and in which project.

Every row of the domain belongs to a project (`ProjectRow`) and is reached through
`Model.objects.of(project)`. `Model.rows` is the unscoped manager: for pollers that work across
projects and for Django's own machinery; screens and the API never touch it (a test holds that).
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.manager import BaseManager
from django.utils.translation import gettext_lazy as _


def new_pseudonym() -> str:
    return f"r-{secrets.token_hex(4)}"


class User(AbstractUser):
    """A person. Exports and history name the pseudonym only, so that a person can be erased beside them."""

    pseudonym = models.CharField(max_length=32, unique=True, default=new_pseudonym, editable=False)
    language = models.CharField(max_length=16, blank=True, help_text=_("Empty: what the browser asks for."))
    sample = models.BooleanField(default=False, help_text=_("Sample sign-in: accepted on loopback only."))

    @property
    def shown_name(self) -> str:
        return self.get_full_name() or self.username


class Role(models.TextChoices):
    PHYSICIAN = "physician", _("Physician")
    ADJUDICATOR = "adjudicator", _("Adjudicator")
    LEAD = "lead", _("Lead")
    ADMIN = "admin", _("Admin")
    API_CLIENT = "api_client", _("API client")


class Project(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    guideline = models.TextField(blank=True, help_text=_("Shown to reviewers beside the rubric."))
    sends_to_endpoint = models.BooleanField(
        default=True, help_text=_("Whether this project's text may be sent to the LLM endpoint.")
    )

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    specialties = models.JSONField(default=list, blank=True)
    credentials = models.CharField(max_length=120, blank=True)
    years_of_practice = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="one_role_per_member"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]


M = TypeVar("M", bound=models.Model, covariant=True)


class ScopedManager(BaseManager[M]):
    """Has neither `filter` nor `get`: the only way to rows leads through a project."""

    _queryset_class = models.QuerySet

    def of(self, project: Project) -> models.QuerySet[M]:
        return self.get_queryset().filter(project=project)


class ProjectRow(models.Model):
    """Base of every domain row."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")

    if not TYPE_CHECKING:  # every row's class says which rows its own manager holds
        rows = models.Manager()

    class Meta:
        abstract = True
        default_manager_name = "rows"


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class ApiToken(models.Model):
    """A bearer token of one user in one project; only its SHA-256 is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="tokens")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    @classmethod
    def issue(cls, **fields: Any) -> tuple[Self, str]:
        """Make a token. Returns the row and the secret, which is shown once and never stored."""
        secret = f"gr_{secrets.token_urlsafe(32)}"
        return cls.objects.create(digest=token_digest(secret), **fields), secret


def new_salt() -> str:
    return secrets.token_hex(32)


class ReviewDesk(models.Model):
    """What the review screen keeps for a person, whatever browser they sit at: the salt of the key that seals the
    browser's journal, and the keys that they set."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="desk")
    salt = models.CharField(max_length=64, default=new_salt, editable=False)
    keys = models.JSONField(default=dict, blank=True)
