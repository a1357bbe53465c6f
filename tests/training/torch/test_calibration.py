"""Protects the step from scores to verdicts: Platt scaling, the safety threshold, undefined dimensions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubric_engine.rubric import Dimension
from training.calibration import Calibration, calibrate, platt, recall_threshold

SCORES = st.lists(st.floats(-20, 20, allow_nan=False), min_size=1, max_size=40)


def test_platt_moves_a_bias_that_a_temperature_cannot() -> None:
    scores = [3.0 + step / 10 for step in range(20)]
    slope, offset = platt(scores, [score > 4 for score in scores])
    assert slope > 0
    assert -offset / slope == pytest.approx(4.0, abs=0.2)


def test_platt_solves_the_symmetric_case_by_hand() -> None:
    slope, offset = platt([-1.0, 1.0], [False, True])
    assert offset == pytest.approx(0.0, abs=1e-6)
    assert 1 / (1 + math.exp(-slope)) == pytest.approx(2 / 3, abs=1e-3)


@given(scores=SCORES, recall=st.sampled_from([0.5, 0.8, 0.95, 1.0]))
def test_safety_threshold_reaches_its_recall_and_no_lower_one_does(
    scores: list[float], recall: float
) -> None:
    threshold = recall_threshold(scores, recall=recall)
    called = sum(score < threshold for score in scores)
    assert called >= recall * len(scores) - 1e-9
    lower = max((score for score in scores if score < threshold), default=-math.inf)
    assert sum(score < lower for score in scores) < recall * len(scores)


def test_a_dimension_with_one_class_is_undefined_and_says_so() -> None:
    calibration = calibrate({Dimension.SAFETY: ([1.0, 2.0], [True, True])}, safety_recall=0.95)
    assert calibration[Dimension.SAFETY].undefined == "only satisfied labels on the validation split"
    assert calibration[Dimension.EXCELLENCE].undefined == "no labels on the validation split"
    assert calibration[Dimension.SAFETY].satisfied(0.1)
    assert not calibration[Dimension.SAFETY].satisfied(-0.1)


def test_scores_that_fall_with_satisfaction_are_not_calibrated() -> None:
    calibration = calibrate({Dimension.PROFICIENCY: ([1.0, -1.0], [False, True])}, safety_recall=0.95)
    assert "do not rise" in str(calibration[Dimension.PROFICIENCY].undefined)


def test_calibration_survives_its_json_form() -> None:
    calibration = calibrate({Dimension.SAFETY: ([1.0, -2.0, 0.5], [True, False, False])}, safety_recall=0.95)
    assert Calibration.from_dict(calibration.as_dict()).as_dict() == calibration.as_dict()
