"""Where pictures lie: by the SHA-256 of their bytes, in a directory of their project."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from django.conf import settings

from rubric_engine.attachments.pictures import SUFFIXES, Picture


def place(*, project_id: int, sha256: str, media_type: str) -> Path:
    directory = Path(settings.FILES_DIR) / "attachments" / str(project_id) / sha256[:2]
    return directory / f"{sha256}{SUFFIXES[media_type]}"


def keep(picture: Picture, *, project_id: int) -> None:
    """Write the file unless it is there; whoever reads at the same time sees all of it or nothing."""
    path = place(project_id=project_id, sha256=picture.sha256, media_type=picture.media_type)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as draft:
        draft.write(picture.data)
        draft.flush()
        os.fsync(draft.fileno())
    Path(draft.name).replace(path)
