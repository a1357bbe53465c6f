"""`python -m tests.benchmarks [NAME …]`: run every bench_*.py (or those named) and keep its figures."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path

from tests.benchmarks.figures import PAGE, keep, render


def main(names: list[str]) -> int:
    found = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    unknown = [name for name in names if f"bench_{name}" not in found]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(name[6:] for name in found)}")
        return 2
    failed = []
    for module in [f"bench_{name}" for name in names] or found:
        print(f"\n== {module[6:]}", flush=True)
        try:
            keep(importlib.import_module(f"tests.benchmarks.{module}").run())
        except Exception:  # noqa: BLE001  one broken benchmark must not take the others' figures with it
            traceback.print_exc()
            failed.append(module)
    PAGE.write_text(render(), encoding="utf-8")
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
