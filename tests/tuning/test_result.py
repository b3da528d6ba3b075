"""Choosing the best of recorded trials."""

from __future__ import annotations

import pytest

from pipeline.errors import PromiseError, TrainingError
from pipeline.tuning.ledger import TrialRecord
from pipeline.tuning.objective import Limit, Rule
from pipeline.tuning.result import check_failures, summarize


def record(trial: str, loss: float | None) -> TrialRecord:
    if loss is None:
        return TrialRecord(trial, {"a": 1}, 3, status="failed", error="diverged")
    metrics = {"val_loss": loss, "val_accuracy": 1 - loss, "epochs_run": 3, "seconds": 1.5}
    return TrialRecord(trial, {"a": loss}, 3, status="ended", metrics=metrics)


@pytest.mark.parametrize("objective", ["val_loss", "val_accuracy"])
def test_the_best_and_of_equals_the_first(objective: str) -> None:
    records = [record("0", 0.5), record("1", None), record("2", 0.25), record("3", 0.25)]
    result = summarize(records, Rule(objective))
    assert (result.best_trial, result.best) == ("2", {"a": 0.25})
    assert result.score == (0.25 if objective == "val_loss" else 0.75)
    assert result.trials[1] == {
        "trial": "1", "hyperparameters": {"a": 1}, "score": None, "figures": {}, "feasible": False,
        "epochs": 0, "status": "failed", "seconds": 0, "started_seconds": None,
        "error": "diverged",
    }  # fmt: skip
    assert result.trials[0]["epochs"] == 3


def test_no_trial_that_ended_is_an_error() -> None:
    with pytest.raises(TrainingError, match=r"all 2 trials failed.*trial 0: diverged"):
        summarize([record("0", None), record("1", None)], Rule("val_loss"))


def test_constraints_come_before_the_objective() -> None:
    records = [record("0", 0.1), record("1", 0.3), record("2", 0.2)]
    rule = Rule("val_accuracy", (Limit("val_loss", 0.25, upper=True),))
    assert summarize(records, rule).best_trial == "0"
    rule = Rule("val_loss", (Limit("val_accuracy", 0.75, upper=True),))
    found = summarize(records, rule)  # accuracies 0.9, 0.7, 0.8: only the worst one is allowed
    assert found.best_trial == "1"
    assert [trial["feasible"] for trial in found.trials] == [False, True, False]


def test_when_no_trial_keeps_the_constraints_the_nearest_is_told() -> None:
    rule = Rule("val_accuracy", (Limit("val_loss", 0.05, upper=True),))
    with pytest.raises(PromiseError, match=r"none of 2 .* nearest, 1: val_loss is 0.1, expected"):
        summarize([record("0", 0.5), record("1", 0.1)], rule)


def test_five_equal_failures_at_the_start_end_the_search() -> None:
    alike = [TrialRecord(str(n), {}, 3, status="failed", error=f"trial {n}: no") for n in range(5)]
    check_failures(alike[:4])
    with pytest.raises(TrainingError, match=r"first 5 trials failed alike, trial 0 with: trial 0"):
        check_failures(alike)
    check_failures([*alike[:4], record("4", 0.5)])
    other = TrialRecord("4", {}, 3, status="failed", error="trial 4: yes")
    check_failures([*alike[:4], other])
    check_failures([*alike[:4], TrialRecord("4", {}, 3), alike[4]])
