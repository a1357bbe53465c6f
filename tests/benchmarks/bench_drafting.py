"""What drafting one item costs beside the language model: choosing exemplars, composing, writing the draft."""

from __future__ import annotations

import json
from typing import Any

from tests.benchmarks.figures import figure
from tests.benchmarks.stage import stage


def run() -> list[dict[str, Any]]:
    with stage() as here:
        samples = json.loads(here.last_line("-m", "tests.benchmarks.drafting_data"))
    return [figure("drafting.overhead_ms", samples, "ms an item", goal="<= 20")]
