"""A picture over HTTP: it is shown, never run, and kept by no cache."""

from __future__ import annotations

from django.http import FileResponse, Http404

from rubric_engine.attachments import files
from rubric_engine.attachments.pictures import SUFFIXES
from rubric_engine.models import Attachment


def picture_response(attachment: Attachment) -> FileResponse:
    """Raises Http404 where it is no picture, was removed, or its file is missing."""
    if attachment.media_type not in SUFFIXES or attachment.removed_at is not None:
        raise Http404
    path = files.place(
        project_id=attachment.project_id, sha256=attachment.sha256, media_type=attachment.media_type
    )
    try:
        file = path.open("rb")
    except FileNotFoundError as fault:
        raise Http404 from fault
    response = FileResponse(file, content_type=attachment.media_type)
    response["Content-Disposition"] = f'inline; filename="picture{SUFFIXES[attachment.media_type]}"'
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "no-store"
    return response
