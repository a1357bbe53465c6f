"""The words of judging first, of a lead's answers and of the discussion; see `words`."""

from __future__ import annotations

from django.utils.translation import gettext as _


def discussion() -> dict[str, str]:
    return {
        "judge_first": _("Judge first"),
        "judge_first_why": _(
            "The draft of this item is hidden. Write the criteria that matter most to you and judge them; then look at "
            "the draft and correct it as usual."
        ),
        "reveal_written": _("{n} written"),
        "reveal_none": _("write at least one, with n"),
        "reveal_lacking": _("{n} verdicts to give"),
        "reveal_lacking_one": _("1 verdict to give"),
        "reveal_ready": _("ready"),
        "reveal": _("Show the draft"),
        "reveal_coming": _("The draft is on its way."),
        "do_reveal": _("Show the draft of an item that is judged first"),
        "flag_answered": _("Answer to your flag: {reason}"),
        "discussion": _("Discussion"),
        "discussion_count": _("Discussion · {n}"),
        "discussion_empty": _("Nothing is written here that you can read now."),
        "discussion_unreachable": _(
            "The discussion can't be reached now. What you wrote stands in the sheet."
        ),
        "do_discussion": _("Show or fold the discussion"),
        "write_comment": _("Write"),
        "about_criterion": _("on criterion {n}"),
        "not_sent": _("not sent yet"),
        "by_you": _("You"),
        "by_reviewer": _("A reviewer"),
        "by_lead": _("A lead"),
        "reply": _("Reply"),
        "resolve": _("Resolve"),
        "open_again": _("Open it again"),
        "take_back": _("Take back"),
    }
