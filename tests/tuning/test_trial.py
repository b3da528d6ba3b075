"""Trials that really train: in a search, killed, promoted by Hyperband, pruned, measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.bridge.pruning import prune
from pipeline.compression.sizes import sizes
from pipeline.config.load import apply_overrides
from pipeline.data.prepared import PreparedData
from pipeline.errors import ConfigError, TrainingError
from pipeline.models.files import load_model, save_model
from pipeline.progress import SilentProgress
from pipeline.tflite.worker import ConversionWorker
from pipeline.training.checkpoint import Checkpoint, load_checkpoint
from pipeline.tuning.steps import Steps
from pipeline.tuning.task import TrialInputs, TrialTask
from pipeline.tuning.trial import build_fresh_model, run_trial
from tests.tuning.conftest import RATE, make_config, search_with

TRAINS = Steps(trains=True, prunes=False, quantizes=False, scheme=None)


def no_converter() -> ConversionWorker:
    raise AssertionError("nothing is converted here")


def trainer(data: PreparedData) -> Callable[..., Any]:
    """Trials of this data, for a crew that hands them nothing else."""
    inputs = TrialInputs(data, None, no_converter)
    return lambda task, nothing, on_epoch: run_trial(task, inputs, on_epoch)


def train_trial(task: TrialTask, data: PreparedData, on_epoch: Any = lambda row: None) -> Any:
    return run_trial(task, TrialInputs(data, None, no_converter), on_epoch)


def task_of(work: Path, stop_epoch: int, parent: Path | None = None) -> TrialTask:
    config = apply_overrides(make_config(), {"train.epochs": 4, "model.dropout": 0.25})
    config = apply_overrides(config, {"train.schedule": {"kind": "cosine"}})
    return TrialTask("0003", config, TRAINS, 5, work, stop_epoch, parent)


def last(work: Path) -> Checkpoint:
    checkpoint = load_checkpoint(work / "checkpoints")
    assert checkpoint is not None
    return checkpoint


def test_a_promoted_trial_goes_on_from_its_parent_bit_for_bit(
    data: PreparedData, tmp_path: Path
) -> None:
    rows: list[float] = []
    train_trial(task_of(tmp_path / "parent", 1), data)
    promoted = task_of(tmp_path / "child", 4, tmp_path / "parent")
    figures = train_trial(promoted, data, lambda row: rows.append(row["epoch"]))
    alone = train_trial(task_of(tmp_path / "alone", 4), data)
    assert rows == [2, 3, 4]
    assert {**figures, "seconds": 0} == {**alone, "seconds": 0}
    assert set(figures) == {"val_loss", "val_accuracy", "parameters", "epochs_run", "seconds"}
    assert (figures["epochs_run"], figures["parameters"]) == (4, 6 * 8 + 8 + 8 * 3 + 3)
    left, right = last(tmp_path / "child").arrays, last(tmp_path / "alone").arrays
    assert list(left) == list(right)
    assert all(left[name].tobytes() == right[name].tobytes() for name in left)


def test_a_task_goes_to_a_worker_and_back(tmp_path: Path) -> None:
    task = task_of(tmp_path, 2, tmp_path / "parent")
    assert TrialTask.from_json(task.to_json()) == task
    assert TrialTask.from_json(task_of(tmp_path, 2).to_json()).parent is None


def test_equal_seeds_give_equal_initial_weights(data: PreparedData) -> None:
    models = [build_fresh_model(make_config(), data, seed) for seed in (0, 0, 1)]
    kernels = [np.asarray(model.trainable_variables[0].value) for model in models]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_a_real_search_that_is_killed_within_a_trial(data: PreparedData, tmp_path: Path) -> None:
    config = make_config(max_trials=2, objective="val_accuracy")
    expected = search_with(trainer(data), config, data, 0, tmp_path / "alone")

    class Killed(BaseException):
        pass

    def train_and_die(task: TrialTask, inputs: object, on_epoch: object) -> object:
        def die(row: dict[str, float]) -> None:
            if (task.trial, row["epoch"]) == ("0001", 2):
                raise Killed

        return train_trial(task, data, die)

    with pytest.raises(Killed):
        search_with(train_and_die, config, data, 0, tmp_path / "killed")
    result = search_with(trainer(data), config, data, 0, tmp_path / "killed")
    times = {"seconds": 0, "started_seconds": 0}
    strip = [[{**t, **times} for t in r.trials] for r in (expected, result)]
    assert strip[0] == strip[1]
    assert (result.best_trial, result.score) == (expected.best_trial, expected.score)


def test_an_architecture_that_does_not_fit_and_a_rate_that_diverges_are_failures(
    data: PreparedData, tmp_path: Path
) -> None:
    task = task_of(tmp_path, 2)
    images = apply_overrides(make_config(), {"model": {"architecture": "small_cnn"}})
    with pytest.raises(ConfigError, match="small_cnn needs images"):
        train_trial(dataclasses.replace(task, config=images), data)
    broken = {**data.splits, "train": type(data.train)(data.train.x * np.inf, data.train.y)}
    with pytest.raises(TrainingError, match="trial 0003: the loss is nan at step 0"):
        train_trial(task, dataclasses.replace(data, splits=broken))
    space = {RATE: {"float": [1e-4, 1e-1]}, "train.schedule.warmup": {"choice": [1, 10_000]}}
    config = make_config(search_space=space, max_trials=4)
    result = search_with(trainer(data), config, data, 1, tmp_path)
    errors = [t["error"] for t in result.trials if t["status"] == "failed"]
    assert errors
    assert all("warmup is 10000 steps" in error for error in errors)


@pytest.fixture(scope="module")
def converter() -> Iterator[ConversionWorker]:
    """The child process that converts."""
    with ConversionWorker() as worker:
        yield worker


@pytest.mark.parametrize("taught", [False, True])
def test_a_trial_that_prunes_does_what_the_stage_will_do(
    data: PreparedData, tmp_path: Path, converter: ConversionWorker, taught: bool
) -> None:
    """From the model before tune: the same weights, figures and bytes as prune and quantize."""
    import keras

    save_model(build_fresh_model(make_config(), data, 0), tmp_path / "model.keras")
    config = apply_overrides(make_config(), {"prune": {"epochs": 2, "batch_size": 50}})
    config = apply_overrides(config, {"prune.pruning_schedule.final_sparsity": 0.5})
    if taught:
        config = apply_overrides(config, {"prune.distillation": {"alpha": 0.9}})
    steps = Steps(trains=False, prunes=True, quantizes=False, scheme="int8")
    task = TrialTask("0000", config, steps, 3, tmp_path / "trial", 0)
    rows: list[dict[str, float]] = []
    inputs = TrialInputs(data, tmp_path / "model.keras", lambda: converter)
    figures = run_trial(task, inputs, rows.append)
    assert [row["prune_epoch"] for row in rows] == [1, 2]
    assert figures["epochs_run"] == 2

    keras.utils.set_random_seed(3)
    pruned = prune(
        load_model(tmp_path / "model.keras"), data, config.prune, 3, tmp_path / "work",
        tmp_path / "output", SilentProgress(),
        load_model(tmp_path / "model.keras") if taught else None,
    )  # fmt: skip
    assert figures["val_loss"] == pruned.validation["loss"]
    assert figures["val_accuracy"] == pruned.validation["accuracy"]
    assert figures["sparsity"] == pruned.metrics()["sparsity"] == 0.5
    (file,) = (tmp_path / "trial" / "file").glob("*.tflite")
    size = sizes(file.read_bytes())
    assert (figures["size_bytes"], figures["gzip_bytes"]) == (size.size_bytes, size.gzip_bytes)
