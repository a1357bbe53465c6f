"""Why an attachment is refused."""

from __future__ import annotations


class AttachmentRefused(ValueError):
    """It can't be taken; `field` says which part, `reason` why and what to do."""

    def __init__(self, field: str, reason: str) -> None:
        self.field, self.reason = field, reason
        super().__init__(f"{field}: {reason}" if field else reason)
