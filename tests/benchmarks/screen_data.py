"""`python -m tests.benchmarks.screen_data`: a round of 500 for one reviewer, 20 criteria and three responses of 2,000
words an item.

Prints one JSON object: {"round": id, "reviewer": session, "lead": session}. Run on a migrated, empty database.
"""

from __future__ import annotations

import json

from tests.benchmarks.review_data import SENTENCE, cast, drafted_round, rounds, session_of
from webapp.accounts.models import Role

ITEMS, CRITERIA, WORDS = 500, 20, 2000


def main() -> None:
    sentences = -(-WORDS // len(SENTENCE.split()))
    round = drafted_round(ITEMS, criteria=CRITERIA, sentences=sentences, double_share=0)
    reviewer = cast.make_user("bench-reviewer", round.project, Role.PHYSICIAN)
    rounds.open_round(actor=round.created_by, round=round)
    sessions = {"reviewer": session_of(reviewer)["session"], "lead": session_of(round.created_by)["session"]}
    print(json.dumps({"round": str(round.pk), **sessions}))


if __name__ == "__main__":
    main()
