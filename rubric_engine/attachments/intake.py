"""One attachment as a file or a request describes it → what we keep of it. Knows no database."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import IO, Any

from django.utils.translation import gettext as _

from rubric_engine.attachments import pictures, tables
from rubric_engine.attachments.faults import AttachmentRefused
from rubric_engine.attachments.pictures import Picture

IMAGE, LAB_TABLE, VITALS = "image", "lab_table", "vitals"
KINDS = (IMAGE, LAB_TABLE, VITALS)
TITLE, DESCRIPTION = 120, 500
MOST = 12
"""Attachments of one instruction."""


@dataclass(frozen=True, slots=True)
class Taken:
    """`content` is that of a table or of vital signs; `picture` that of an image."""

    kind: str
    title: str
    description: str = ""
    content: dict[str, Any] | None = None
    picture: Picture | None = field(default=None, repr=False)

    @property
    def sha256(self) -> str:
        if self.picture is not None:
            return self.picture.sha256
        kept = [self.kind, self.title, self.content]
        return sha256(json.dumps(kept, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def image(*, data: bytes, title: str, description: str) -> Taken:
    """Raises AttachmentRefused: without a description, which stands for the picture where it can't be seen."""
    described = _words(description, "description", DESCRIPTION)
    if not described:
        raise AttachmentRefused(
            "description", _("missing; say what the picture shows, for those who can't see it")
        )
    return Taken(IMAGE, _words(title, "title", TITLE), described, picture=pictures.redrawn(data))


def read_picture(file: IO[bytes]) -> bytes:
    """The bytes of an upload, at most one more than a picture may have: `image` then refuses it."""
    return file.read(pictures.MAX_BYTES + 1)


def structured(*, kind: str, given: Mapping[str, Any]) -> Taken:
    """A lab table or vital signs; `given` has `title` and what `tables` reads."""
    content = tables.measured(given, "rows" if kind == LAB_TABLE else "signs")
    return Taken(kind, _words(given.get("title"), "title", TITLE), content=content)


def taken(given: Mapping[str, Any]) -> Taken:
    """An attachment of an imported row: {kind, title?, …}, an image with `data` in base64.

    Raises:
        AttachmentRefused: naming the field.
    """
    kind = given.get("kind")
    if kind not in KINDS:
        raise AttachmentRefused("kind", _("write one of %(kinds)s") % {"kinds": ", ".join(KINDS)})
    if kind != IMAGE:
        return structured(kind=str(kind), given=given)
    data = given.get("data")
    if not isinstance(data, str):
        raise AttachmentRefused("data", _("missing; the picture's bytes in base64 are wanted"))
    try:
        raw = base64.b64decode(data.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError) as fault:
        raise AttachmentRefused("data", _("no valid base64")) from fault
    return image(data=raw, title=given.get("title") or "", description=given.get("description") or "")


def _words(value: Any, name: str, most: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise AttachmentRefused(name, _("a text is wanted"))
    words = " ".join(value.split())
    if tables.UNSTORABLE.search(words):
        raise AttachmentRefused(name, _("it holds a character that can't be stored"))
    if len(words) > most:
        raise AttachmentRefused(
            name, _("%(n)s characters, at most %(most)s are kept") % {"n": len(words), "most": most}
        )
    return words
