"""The evaluation's command: `python -m training.evaluate --checkpoint DIR --pairs FILE [--out JSON]`.

DIR is the `final/` directory of a reward-model run; FILE is a preferences file, plain or gzip. It needs
neither database nor run directory, and prints the table of figures beside the published rows.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from training.dataset import read_preferences
from training.faults import TrainingFault


def main(argv: list[str] | None = None) -> int:
    """Measure one reward model on one preferences file; 0, or 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("--checkpoint", required=True, help="final/ directory of a reward-model run")
    parser.add_argument("--pairs", required=True, help="preferences .jsonl or .jsonl.gz")
    parser.add_argument("--out", help="write the report as JSON here")
    parser.add_argument("--limit", type=int, help="read only the first lines of the file")
    parser.add_argument("--samples", type=int, default=1000, help="bootstrap samples")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch-rows", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(argv)
    import torch
    from transformers.utils import logging as transformers_logging

    from training.evaluation_run import reward_model_measured

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    torch.set_num_threads(options.threads)
    try:
        items = read_preferences(options.pairs, limit=options.limit)
        report = reward_model_measured(
            options.checkpoint,
            items,
            samples=options.samples,
            seed=options.seed,
            batch_rows=options.batch_rows,
            facts={"pairs_file": Path(options.pairs).name},
        )
    except TrainingFault as fault:
        print(f"{fault.error} {fault.what_to_do}", file=sys.stderr)
        return 1
    if options.out:
        Path(options.out).write_text(json.dumps(report, indent=2, ensure_ascii=False), encoding="utf-8")
    print(report["table"])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
