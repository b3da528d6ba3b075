"""Trials that really train: in a search, killed, and promoted by Hyperband."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.load import apply_overrides
from pipeline.data.prepared import PreparedData
from pipeline.errors import ConfigError, TrainingError
from pipeline.progress import SilentProgress
from pipeline.training.checkpoint import Checkpoint, load_checkpoint
from pipeline.tuning.search import search
from pipeline.tuning.trial import TrialTask, build_fresh_model, train_trial
from tests.tuning.conftest import RATE, make_config


def task_of(work: Path, stop_epoch: int, parent: Path | None = None) -> TrialTask:
    config = apply_overrides(make_config(), {"train.epochs": 4, "model.dropout": 0.25})
    config = apply_overrides(config, {"train.schedule": {"kind": "cosine"}})
    return TrialTask("0003", config, 5, work, stop_epoch, parent)


def last(work: Path) -> Checkpoint:
    checkpoint = load_checkpoint(work / "checkpoints")
    assert checkpoint is not None
    return checkpoint


def test_a_promoted_trial_goes_on_from_its_parent_bit_for_bit(
    data: PreparedData, tmp_path: Path
) -> None:
    rows: list[float] = []
    train_trial(task_of(tmp_path / "parent", 1), data, lambda row: None)
    promoted = task_of(tmp_path / "child", 4, tmp_path / "parent")
    outcome = train_trial(promoted, data, lambda row: rows.append(row["epoch"]))
    alone = train_trial(task_of(tmp_path / "alone", 4), data, lambda row: None)
    assert rows == [2, 3, 4]
    assert dataclasses.replace(outcome, seconds=0) == dataclasses.replace(alone, seconds=0)
    assert outcome.epochs_run == 4
    left, right = last(tmp_path / "child").arrays, last(tmp_path / "alone").arrays
    assert list(left) == list(right)
    assert all(left[name].tobytes() == right[name].tobytes() for name in left)


def test_equal_seeds_give_equal_initial_weights(data: PreparedData) -> None:
    models = [build_fresh_model(make_config(), data, seed) for seed in (0, 0, 1)]
    kernels = [np.asarray(model.trainable_variables[0].value) for model in models]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_a_real_search_that_is_killed_within_a_trial(data: PreparedData, tmp_path: Path) -> None:
    config = make_config(max_trials=2, objective="val_accuracy")
    expected = search(config, data, 0, tmp_path / "alone", SilentProgress())

    class Killed(BaseException):
        pass

    def train_and_die(task: TrialTask, data: PreparedData, on_epoch: object) -> object:
        def die(row: dict[str, float]) -> None:
            if (task.trial, row["epoch"]) == ("0001", 2):
                raise Killed

        return train_trial(task, data, die)

    with pytest.raises(Killed):
        search(config, data, 0, tmp_path / "killed", SilentProgress(), train_and_die)  # type: ignore[arg-type]
    result = search(config, data, 0, tmp_path / "killed", SilentProgress())
    strip = [[{**t, "seconds": 0} for t in r.trials] for r in (expected, result)]
    assert strip[0] == strip[1]
    assert (result.best_trial, result.score) == (expected.best_trial, expected.score)


def test_an_architecture_that_does_not_fit_and_a_rate_that_diverges_are_failures(
    data: PreparedData, tmp_path: Path
) -> None:
    task = task_of(tmp_path, 2)
    images = apply_overrides(make_config(), {"model": {"architecture": "small_cnn"}})
    with pytest.raises(ConfigError, match="small_cnn needs images"):
        train_trial(dataclasses.replace(task, config=images), data, lambda row: None)
    broken = {**data.splits, "train": type(data.train)(data.train.x * np.inf, data.train.y)}
    with pytest.raises(TrainingError, match="trial 0003: the loss is nan at step 0"):
        train_trial(task, dataclasses.replace(data, splits=broken), lambda row: None)
    space = {RATE: {"float": [1e-4, 1e-1]}, "train.schedule.warmup": {"choice": [1, 10_000]}}
    config = make_config(search_space=space, max_trials=4)
    result = search(config, data, 1, tmp_path, SilentProgress())
    errors = [t["error"] for t in result.trials if t["status"] == "failed"]
    assert errors
    assert all("warmup is 10000 steps" in error for error in errors)
