"""Protects acknowledged writes: the short form of `make faults`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.fault_services import survive
from webapp.embedded import services


@pytest.mark.slow
def test_no_acknowledged_write_is_lost_to_kill_9_and_a_planted_loss_is_found(tmp_path: Path) -> None:
    with services.embedded_services(tmp_path):
        acknowledged, lost, recoveries = survive(tmp_path, kills=6, writers=4, seed=7)
    assert acknowledged > 0
    assert lost == 0
    assert max(recoveries) < 60
