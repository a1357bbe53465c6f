"""What drafting one item costs beside the language model: choosing exemplars, composing, writing the draft."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.bench_import import run_python
from tests.benchmarks.figures import figure
from webapp.embedded.services import embedded_services


def run() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="goldrounds-bench-") as directory:
        environment = {
            name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}
        } | {"GOLDROUNDS_HOME": directory, "TQDM_DISABLE": "1"}
        with embedded_services(Path(directory)):
            run_python(environment, "manage.py", "migrate", "--verbosity", "0")
            samples = json.loads(
                run_python(environment, "-m", "tests.benchmarks.drafting_data").splitlines()[-1]
            )
    return [figure("drafting.overhead_ms", samples, "ms an item", goal="<= 20")]
