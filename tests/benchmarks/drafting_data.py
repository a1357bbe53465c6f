"""`python -m tests.benchmarks.drafting_data`: draft in a warm process; print milliseconds per item as JSON.

The pool holds 200 rubrics of ten criteria; every text is embedded by the real model beforehand, as in a round, where
each text is embedded once, ever. What is left is choosing, composing and writing.
"""

from __future__ import annotations

import json
import logging
import os
import random
import time

POOL, ITEMS, REPEATS = 200, 100, 5
WORDS = (
    "heart lung kidney skin dose fever warn rest stop call ask test scan bleed clot rash cough sleep".split()
)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.project")
    import django

    django.setup()
    logging.disable(logging.INFO)
    import torch

    torch.set_num_threads(2)
    from rubric_engine import drafting, embeddings, exemplars
    from rubric_engine.models import Instruction, RubricKind
    from rubric_engine.rubric import Dimension, Polarity
    from tests import cast
    from webapp.accounts.models import Role

    dice = random.Random(1)
    dimensions = [Dimension.SAFETY] * 2 + [Dimension.PROFICIENCY] * 6 + [Dimension.EXCELLENCE] * 2
    project = cast.make_project("bench")
    lead = cast.make_user("bench", project, Role.LEAD)

    def instruction() -> Instruction:
        return cast.make_instruction(project, responses=0, text=" ".join(dice.choices(WORDS, k=30)))

    for _ in range(POOL):
        criteria = [
            (f"c{n}", dimension, " ".join(dice.choices(WORDS, k=12)), dice.randint(1, 5), Polarity.MUST_HOLD)
            for n, dimension in enumerate(dimensions)
        ]
        rubric = cast.make_rubric(instruction(), kind=RubricKind.CORRECTED, criteria=criteria)
        exemplars.admit(actor=lead, gold_rubric=rubric, owner=lead)
    pool = exemplars.freeze_pool(actor=lead, project=project)
    rounds = [[instruction() for _ in range(ITEMS)] for _ in range(REPEATS + 1)]
    embeddings.vectors([one.text for items in rounds for one in items])
    samples = []
    for items in rounds:
        began = time.perf_counter()
        drafting.draft_items(
            project=project, instructions=items, pool_version=pool, seed=1, on_done=lambda *_: None
        )
        samples.append((time.perf_counter() - began) * 1000 / ITEMS)
    print(json.dumps(samples[1:]))


if __name__ == "__main__":
    main()
