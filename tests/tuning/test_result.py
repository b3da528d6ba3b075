"""Choosing the best of recorded trials."""

from __future__ import annotations

import pytest

from pipeline.errors import TrainingError
from pipeline.tuning.ledger import TrialRecord
from pipeline.tuning.result import summarize


def record(trial: str, loss: float | None) -> TrialRecord:
    if loss is None:
        return TrialRecord(trial, {"a": 1}, 3, status="failed", error="diverged")
    metrics = {"val_loss": loss, "val_accuracy": 1 - loss, "epochs_run": 3, "seconds": 1.5}
    return TrialRecord(trial, {"a": loss}, 3, status="ended", metrics=metrics)


@pytest.mark.parametrize("objective", ["val_loss", "val_accuracy"])
def test_the_best_and_of_equals_the_first(objective: str) -> None:
    records = [record("0", 0.5), record("1", None), record("2", 0.25), record("3", 0.25)]
    result = summarize(records, objective)
    assert (result.best_trial, result.best) == ("2", {"a": 0.25})
    assert result.score == (0.25 if objective == "val_loss" else 0.75)
    assert result.trials[1] == {
        "trial": "1", "hyperparameters": {"a": 1}, "score": None, "epochs": 0,
        "status": "failed", "seconds": 0, "error": "diverged",
    }  # fmt: skip
    assert result.trials[0]["epochs"] == 3


def test_no_trial_that_ended_is_an_error() -> None:
    with pytest.raises(TrainingError, match=r"all 2 trials failed.*trial 0: diverged"):
        summarize([record("0", None), record("1", None)], "val_loss")
