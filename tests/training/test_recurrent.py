"""A recurrent network's training goes on bit for bit, its recurrent dropout included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.train import TrainConfig
from pipeline.data.prepared import PreparedData, Split
from pipeline.models.build import build_model
from pipeline.progress import SilentProgress
from pipeline.tasks.task import Task
from pipeline.training.fit import fit
from tests.models.text_models import text_config

TASK = Task("binary", 1, ("no", "yes"))
LENGTH, TOKENS = 5, 20


class Killed(Exception):
    """Stands for SIGKILL after a checkpoint."""


class KillAtOnce(SilentProgress):
    """Stops the training when its first epoch is done and saved."""

    def advance(self, amount: int = 1, **figures: float) -> None:
        if figures:
            raise Killed


def train(folder: Path, progress: SilentProgress) -> Any:
    import keras

    rng = np.random.default_rng(5)
    x = rng.integers(0, TOKENS, (48, LENGTH)).astype(np.int32)
    y = (x[:, 0] > 9).astype(np.int64)
    splits = {"train": Split(x[:32], y[:32]), "validation": Split(x[32:], y[32:])}
    data = PreparedData(splits, TASK, (LENGTH,), input_dtype="int32")
    optimizer = {"name": "adam", "learning_rate": 0.01}
    config = TrainConfig.model_validate({"epochs": 2, "batch_size": 16, "optimizer": optimizer})
    keras.utils.set_random_seed(1)
    options = {"embedding": 3, "units": 4, "recurrent_dropout": 0.5, "spatial_dropout": 0.2}
    model = build_model(text_config("text_lstm", **options), (LENGTH,), TASK, None, "int32", TOKENS)
    fit(model, data, config, 1, folder / "work", folder / "output", progress)
    return model


def test_a_killed_training_of_an_lstm_ends_as_one_left_alone(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", SilentProgress())
    with pytest.raises(Killed):
        train(tmp_path / "killed", KillAtOnce())
    resumed = train(tmp_path / "killed", SilentProgress())
    for one, other in zip(whole.weights, resumed.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
