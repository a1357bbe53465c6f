"""`make faults [ARGS=name]`: run every fault_*.py at full size, or those named, and keep its figures."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from tests.benchmarks.figures import PAGE, keep, render


def main(names: list[str]) -> int:
    found = sorted(path.stem for path in Path(__file__).parent.glob("fault_*.py"))
    unknown = [name for name in names if f"fault_{name}" not in found]
    if unknown:
        print(f"no fault test {', '.join(unknown)}; there are {', '.join(name[6:] for name in found)}")
        return 2
    for module in [f"fault_{name}" for name in names] or found:
        print(f"\n== {module[6:]}", flush=True)
        keep(importlib.import_module(f"tests.faults.{module}").run())
    PAGE.write_text(render(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
