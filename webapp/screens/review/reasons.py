"""The reasons that one key picks. A reason is kept as its English words, so that every record reads by itself."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_noop

REJECT = (
    gettext_noop("Not asked"),
    gettext_noop("Medically wrong"),
    gettext_noop("Repeats another"),
    gettext_noop("Not checkable"),
    gettext_noop("More than one statement"),
    gettext_noop("Too trivial"),
)
FLAG = (
    gettext_noop("Missing context"),
    gettext_noop("Guidelines differ"),
    gettext_noop("Identifies a person"),
    gettext_noop("Instruction unclear"),
    gettext_noop("Responses unfit"),
    gettext_noop("Second opinion wanted"),
)
SKIP = (
    gettext_noop("Not my field"),
    gettext_noop("Conflict of interest"),
    gettext_noop("Cannot be judged"),
    gettext_noop("Other reason"),
)
UNJUDGED = (
    gettext_noop("Not an answer"),
    gettext_noop("Cut off"),
    gettext_noop("Other language"),
    gettext_noop("Repeats another response"),
)


def choices() -> dict[str, list[dict[str, str]]]:
    """The four lists as the screen's script reads them: {code, label}."""
    lists = {"rejectReasons": REJECT, "flagReasons": FLAG, "skipReasons": SKIP, "unjudgedReasons": UNJUDGED}
    return {name: [{"code": code, "label": gettext(code)} for code in codes] for name, codes in lists.items()}
