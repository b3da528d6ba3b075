"""The winner's full training, and when it replaces what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.data.prepared import PreparedData
from pipeline.progress import SilentProgress
from pipeline.training.evaluate import evaluate_model
from pipeline.tuning.winner import is_better, retrain_winner
from tests.tuning.conftest import RATE, make_config


def test_the_winner_is_trained_in_full(data: PreparedData, tmp_path: Path) -> None:
    values = {RATE: 0.05, "model.units": [4]}
    model, result = retrain_winner(
        make_config(), values, data, 0, tmp_path / "work", tmp_path / "output", SilentProgress()
    )
    assert result.epochs_run == 6
    assert result.history[-1]["learning_rate"] == pytest.approx(0.05)
    assert model.trainable_variables[0].shape == (6, 4)
    assert result.validation == evaluate_model(model, data.validation, data.task)
    assert (tmp_path / "output" / "history.csv").is_file()


@pytest.mark.parametrize(
    ("objective", "baseline", "expected"),
    [
        ("val_loss", {"loss": 0.6, "accuracy": 0.9}, True),
        ("val_loss", {"loss": 0.5, "accuracy": 0.1}, False),
        ("val_accuracy", {"loss": 0.1, "accuracy": 0.7}, True),
        ("val_accuracy", {"loss": 0.9, "accuracy": 0.8}, False),
        ("val_accuracy", None, True),
    ],
)
def test_only_a_better_winner_replaces(
    objective: str, baseline: dict[str, float] | None, expected: bool
) -> None:
    assert is_better(objective, {"loss": 0.5, "accuracy": 0.8}, baseline) is expected
