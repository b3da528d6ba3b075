"""Figures of one optimizer, by hand."""

from __future__ import annotations

import pytest

from pipeline.optimizer_study.summary import median_curve, paired_differences, summarize_optimizer
from tests.optimizer_study.conftest import outcome_of


def test_convergence_gap_and_cost() -> None:
    outcomes = [outcome_of([1.0, 0.5, 0.4], step=0.1), outcome_of([0.5, 0.6, 0.6], step=0.3)]
    found = summarize_optimizer(outcomes, 2, 0.5, 10, "accuracy", True)
    target = found["target"]
    assert (target["reached"], target["of"]) == (2, 2)
    assert target["epochs"]["values"] == [2.0, 1.0]
    # epochs × 10 steps × the training's own time of a step
    assert target["seconds"]["values"] == pytest.approx([2.0, 3.0])
    assert found["gap_loss"]["values"] == pytest.approx([0.15, 0.35])
    assert found["gap_accuracy"]["values"] == pytest.approx([0.04, 0.06])
    assert found["val_loss"]["mean"] == pytest.approx(0.5)
    assert found["lowest_val_loss"]["values"] == [0.4, 0.5]
    assert found["step_seconds"]["mean"] == pytest.approx(0.2)
    assert found["state_bytes"] == 100


def test_a_target_that_not_all_reach_has_no_mean() -> None:
    outcomes = [outcome_of([0.1]), outcome_of([0.9])]
    target = summarize_optimizer(outcomes, 2, 0.5, 10, "accuracy", True)["target"]
    assert target == {"reached": 1, "of": 2, "epochs": None, "seconds": None}


def test_a_failed_training_is_one_that_did_not_reach_it() -> None:
    target = summarize_optimizer([outcome_of([0.1])], 2, 0.5, 10, "accuracy", True)["target"]
    assert (target["reached"], target["epochs"]) == (1, None)
    nothing = summarize_optimizer([], 2, 0.5, 10, "accuracy", True)
    assert nothing["val_loss"] is None
    assert nothing["target"]["reached"] == 0
    assert nothing["state_bytes"] is None


def test_an_error_is_worse_on_validation_when_it_is_larger() -> None:
    outcome = outcome_of([0.5])
    outcome["train"]["mae"], outcome["validation"]["mae"] = 1.0, 1.5
    found = summarize_optimizer([outcome], 1, 0.5, 10, "mae", False)
    assert found["gap_mae"]["mean"] == 0.5


def test_one_epoch_cannot_be_timed() -> None:
    outcome = {**outcome_of([0.1]), "step_seconds": None}
    found = summarize_optimizer([outcome], 1, 0.5, 10, "accuracy", True)
    assert found["step_seconds"] is None
    assert found["target"]["epochs"]["mean"] == 1.0
    assert found["target"]["seconds"] is None


def test_differences_are_taken_seed_by_seed() -> None:
    outcomes = {
        "a": {0: outcome_of([0.1]), 1: outcome_of([0.5])},
        "b": {0: outcome_of([0.2]), 1: outcome_of([0.7])},
        "c": {1: outcome_of([0.9])},
        "d": {},
    }
    found = paired_differences(outcomes)
    assert found is not None
    assert found["best"] == "a"
    b, c = found["others"]
    assert b["difference"]["values"] == pytest.approx([0.1, 0.2])
    assert c["difference"]["values"] == pytest.approx([0.4])
    assert paired_differences({"a": outcomes["a"], "d": {}}) is None


def test_a_curve_is_median_and_range_of_the_seeds() -> None:
    histories = [outcome_of(losses)["history"] for losses in ([3, 1], [2, 2], [1, 9])]
    assert median_curve(histories, "val_loss") == [(1, 2, 1, 3), (2, 2, 1, 9)]
