"""Fixtures of the tuning tests: TensorFlow started once, tiny data, a trial that trains nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.load import validate
from pipeline.config.schema import Config
from pipeline.data.prepared import PreparedData, Split
from pipeline.progress import Progress, SilentProgress
from pipeline.tasks.task import classification
from pipeline.tuning.crew import OwnProcess
from pipeline.tuning.result import SearchResult
from pipeline.tuning.search import search
from pipeline.tuning.task import Figures, TrialTask

RATE = "train.optimizer.learning_rate"


@pytest.fixture(scope="session", autouse=True)
def tensorflow() -> Iterator[None]:
    """Starts TensorFlow once, deterministic; keras-tuner imports it."""
    from pipeline.runtime import start_tensorflow

    start_tensorflow(0)
    yield


@pytest.fixture(scope="session")
def data() -> PreparedData:
    """100 training and 30 validation samples of 3 classes in 6 dimensions, learnable."""
    rng = np.random.default_rng(5)
    y = rng.integers(0, 3, 130)
    x = (rng.normal(size=(130, 6)) + np.eye(3, 6)[y]).astype(np.float32)
    splits = {"train": Split(x[:100], y[:100]), "validation": Split(x[100:], y[100:])}
    return PreparedData(splits, classification(("a", "b", "c")), (6,))


def make_config(**tune: Any) -> Config:
    """A small MLP and this `tune` section."""
    space = {
        RATE: {"float": [1e-4, 1e-1], "sampling": "log"},
        "model.dropout": {"float": [0.0, 0.5]},
    }
    return validate(
        {
            "model": {"architecture": "mlp", "units": [8]},
            "train": {"epochs": 6, "batch_size": 50},
            "tune": {"search_space": space, "epochs": 3, **tune},
        }
    )


class FakeTrainer:
    """Scores a trial by a formula: val_loss = (log10 rate + 2)² + dropout; counts its calls."""

    def __init__(self, score: Callable[[TrialTask], float] | None = None) -> None:
        self.tasks: list[TrialTask] = []
        self._score = score

    def __call__(self, task: TrialTask, inputs: Any, on_epoch: Any) -> Figures:
        self.tasks.append(task)
        rate = task.config.train.optimizer.learning_rate
        loss = (math.log10(rate) + 2) ** 2 + task.config.model.dropout
        if self._score is not None:
            loss = self._score(task)
        for epoch in range(1, task.stop_epoch + 1):
            on_epoch({"epoch": epoch, "val_loss": 1.0, "seconds": 0.5})
        return {
            "val_loss": loss,
            "val_accuracy": 1 / (1 + abs(loss)),
            "epochs_run": task.stop_epoch,
            "seconds": 0.5 * task.stop_epoch,
        }


def search_with(
    trainer: Any,
    config: Config,
    data: PreparedData,
    seed: int,
    work: Path,
    progress: Progress | None = None,
) -> SearchResult:
    """Searches in this process, with the trainer's trials."""
    crew = OwnProcess(trainer, None)
    return search(config, data, seed, work, progress or SilentProgress(), crew)
