"""Fixtures of the comparison's tests: tiny data, a training that trains nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.config.load import validate
from pipeline.config.schema import Config
from pipeline.data.prepared import PreparedData, Split
from pipeline.optimizer_study.training import Training
from pipeline.tasks.task import classification
from tests.reporting.conftest import browse

__all__ = ["browse"]  # the fixture that opens a page in Chromium


@pytest.fixture(scope="session")
def data() -> PreparedData:
    """100 training and 30 validation samples of 3 classes in 6 dimensions, learnable."""
    rng = np.random.default_rng(5)
    y = rng.integers(0, 3, 130)
    x = (rng.normal(size=(130, 6)) + 2 * np.eye(3, 6)[y]).astype(np.float32)
    splits = {"train": Split(x[:100], y[:100]), "validation": Split(x[100:], y[100:])}
    return PreparedData(splits, classification(("a", "b", "c")), (6,))


def make_config(**train: Any) -> Config:
    """A small MLP; 2 steps in an epoch of the data above."""
    return validate(
        {
            "run": {"name": "mine", "seed": 3},
            "model": {"architecture": "mlp", "units": [8]},
            "train": {"epochs": 4, "batch_size": 50, **train},
        }
    )


def outcome_of(losses: list[float], train_loss: float = 0.25, step: float = 0.5) -> dict[str, Any]:
    """An outcome with these validation losses; accuracy is 1 − loss / 10."""
    rows = [
        {
            "epoch": epoch, "loss": loss, "accuracy": 1 - loss / 10,
            "val_loss": loss, "val_accuracy": 1 - loss / 10, "learning_rate": 0.1, "seconds": 1.0,
        }
        for epoch, loss in enumerate(losses, start=1)
    ]  # fmt: skip
    last = losses[-1]
    return {
        "history": rows,
        "train": {"loss": train_loss, "accuracy": 1.0},
        "validation": {"loss": last, "accuracy": 1 - last / 10, "samples": 30},
        "step_seconds": step,
        "seconds": float(len(losses)),
        "state_bytes": 100,
        "parameters": 83,
        "cpu": "a machine",
        "load": 1.0,
    }


class FakeTrainer:
    """Replaces train_once: the final loss is a formula of rate and seed; counts its calls."""

    def __init__(self, loss: Callable[[Training], float]) -> None:
        self.trainings: list[Training] = []
        self._loss = loss

    def __call__(self, config: Config, training: Training, *rest: Any) -> dict[str, Any]:
        self.trainings.append(training)
        last = self._loss(training)
        on_epoch = rest[-1]
        outcome = outcome_of([2.0, 1.0, 1.0, last])
        for row in outcome["history"]:
            on_epoch(row)
        return outcome
