"""The fit loop: what it reaches and records, how it stops, and that it goes on bit for bit."""

from __future__ import annotations

import csv
import dataclasses
import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.optimizer import OptimizerConfig
from pipeline.config.schedule import CosineSchedule
from pipeline.config.train import EarlyStopping, TrainConfig
from pipeline.data.batches import epoch_order
from pipeline.data.prepared import PreparedData
from pipeline.errors import StorageError, TrainingError
from pipeline.progress import SilentProgress
from pipeline.training import loop
from pipeline.training.checkpoint import Checkpoint, load_checkpoint
from pipeline.training.evaluate import evaluate_model
from pipeline.training.fit import FitResult, fit
from pipeline.training.schedules import learning_rates
from pipeline.training.state import read_weights
from tests.training import killed_training

Folders = tuple[Path, Path]
ADAM = OptimizerConfig(name="adam", learning_rate=0.05)


class Bar(SilentProgress):
    """Remembers what was shown."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def begin(self, label: str, total: int, unit: str) -> None:
        self.calls.append((label, total, unit))

    def advance(self, amount: int = 1, **figures: float) -> None:
        self.calls.append(sorted(figures))

    def end(self) -> None:
        self.calls.append("end")


def checkpoint_of(work: Path) -> Checkpoint:
    checkpoint = load_checkpoint(work)
    assert checkpoint is not None
    return checkpoint


def assert_same_bits(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> None:
    assert list(left) == list(right)
    for name in left:
        assert left[name].tobytes() == right[name].tobytes(), name


def test_sgd_without_dropout_equals_a_loop_written_out(
    data: PreparedData, folders: Folders
) -> None:
    """Softmax regression in NumPy: same batches, same rates, same weights and figures."""
    import keras

    inputs = keras.Input((6,))
    model = keras.Model(inputs, keras.layers.Dense(3, kernel_initializer="zeros")(inputs))
    optimizer = OptimizerConfig(name="sgd", learning_rate=0.5)
    schedule = CosineSchedule(kind="cosine")
    config = TrainConfig(epochs=2, batch_size=32, optimizer=optimizer, schedule=schedule)
    result = fit(model, data, config, 9, *folders, SilentProgress())

    kernel, bias, step, losses = np.zeros((6, 3)), np.zeros(3), 0, []
    rates = learning_rates(schedule, 0.5, 4, 2)
    for epoch in range(2):
        order, total = epoch_order(9, epoch, 100), 0.0
        for start in range(0, 100, 32):
            rows = order[start : start + 32]
            x, labels = data.train.x[rows].astype(np.float64), data.train.y[rows]
            logits = x @ kernel + bias
            chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            total -= np.log(chances[np.arange(len(rows)), labels]).sum()
            error = (chances - np.eye(3)[labels]) / len(rows)
            kernel -= rates[step] * x.T @ error
            bias -= rates[step] * error.sum(axis=0)
            step += 1
        losses.append(total / 100)
    np.testing.assert_allclose(read_weights(model)[0], kernel, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(read_weights(model)[1], bias, rtol=1e-4, atol=1e-6)
    assert [row["loss"] for row in result.history] == pytest.approx(losses, rel=1e-5)


def test_result_files_and_bar(
    build: Callable[..., Any], data: PreparedData, folders: Folders
) -> None:
    model, bar = build(), Bar()
    config = TrainConfig(
        epochs=3, batch_size=32, optimizer=ADAM, schedule=CosineSchedule(kind="cosine")
    )
    result = fit(model, data, config, 0, *folders, bar, label="train")

    assert (result.epochs_run, result.best_epoch) == (3, 3)
    assert result.validation == evaluate_model(model, data.validation, data.task)
    assert result.train["accuracy"] == evaluate_model(model, data.train, data.task)["accuracy"]
    assert result.history[-1]["val_loss"] == pytest.approx(result.validation["loss"])
    assert result.seconds == pytest.approx(sum(row["seconds"] for row in result.history))
    shown = ["loss", "val_accuracy"]
    assert bar.calls == [("train", 3, "epochs"), shown, shown, shown, "end"]

    with (folders[1] / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [{key: float(value) for key, value in row.items()} for row in rows] == result.history
    with (folders[1] / "schedule.csv").open() as file:
        ran = [np.float32(row["learning_rate"]) for row in csv.DictReader(file)]
    expected = learning_rates(config.schedule, 0.05, 4, 3)
    np.testing.assert_array_equal(ran, expected)
    assert result.history[-1]["learning_rate"] == pytest.approx(expected[-1], rel=1e-6)
    assert tensorboard_figures(folders[1] / "tensorboard")["val_loss"] == pytest.approx(
        {int(row["epoch"]): row["val_loss"] for row in result.history}
    )


def tensorboard_figures(folder: Path) -> dict[str, dict[int, float]]:
    """Reads every scalar as TensorBoard would find it: tag → epoch → value."""
    import tensorflow as tf

    figures: dict[str, dict[int, float]] = {}
    (path,) = folder.iterdir()
    for event in tf.compat.v1.train.summary_iterator(str(path)):
        for value in event.summary.value:
            assert event.step not in figures.setdefault(value.tag, {})
            figures[value.tag][event.step] = value.simple_value
    return figures


def test_early_stopping_keeps_the_best_weights(
    build: Callable[..., Any], data: PreparedData, folders: Folders
) -> None:
    wild = OptimizerConfig(name="adam", learning_rate=0.5)
    config = TrainConfig(
        epochs=50, batch_size=10, optimizer=wild, early_stopping=EarlyStopping(patience=3)
    )
    model = build()
    result = fit(model, data, config, 0, *folders, SilentProgress())
    losses = [row["val_loss"] for row in result.history]
    assert result.best_epoch == 1 + int(np.argmin(losses))
    assert result.epochs_run == result.best_epoch + 3 < 50
    assert result.validation["loss"] == min(losses)
    assert evaluate_model(model, data.validation, data.task)["loss"] == min(losses)


def test_a_finished_training_only_returns(
    build: Callable[..., Any],
    data: PreparedData,
    folders: Folders,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = TrainConfig(
        epochs=4, batch_size=25, optimizer=ADAM, early_stopping=EarlyStopping(patience=9)
    )
    model = build()
    first = fit(model, data, config, 0, *folders, SilentProgress())

    def no_step(*arguments: object) -> None:
        raise AssertionError("a finished training was trained again")

    monkeypatch.setattr("pipeline.training.session.training_function", no_step)
    again = build()
    assert fit(again, data, config, 0, *folders, SilentProgress()) == first
    for left, right in zip(read_weights(model), read_weights(again), strict=True):
        assert left.tobytes() == right.tobytes()
    assert len(tensorboard_figures(folders[1] / "tensorboard")["loss"]) == 4


def test_other_settings_start_over(
    build: Callable[..., Any], data: PreparedData, folders: Folders
) -> None:
    config = TrainConfig(epochs=1, batch_size=50, optimizer=ADAM)
    fit(build(), data, config, 0, *folders, SilentProgress())
    other = TrainConfig(epochs=2, batch_size=50, optimizer=ADAM)
    epochs: list[float] = []
    fit(
        build(), data, other, 0, *folders, SilentProgress(),
        on_epoch=lambda row: epochs.append(row["epoch"]),
    )  # fmt: skip
    assert epochs == [1, 2]


def test_the_calls_into_the_graph_change_nothing(
    build: Callable[..., Any],
    data: PreparedData,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = TrainConfig(epochs=2, batch_size=8, optimizer=ADAM)
    states = []
    for steps in (1, 32):
        monkeypatch.setattr(loop, "FIRST_CALL_STEPS", steps)
        work = tmp_path / str(steps)
        fit(build(), data, config, 0, work, tmp_path / "output", SilentProgress())
        states.append(checkpoint_of(work).arrays)
    assert_same_bits(*states)


def test_penalties_are_minimized_but_not_in_the_loss(
    build: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    config = TrainConfig(epochs=3, batch_size=25, optimizer=ADAM)
    norms = []
    for penalty in (0.0, 1.0):
        model = build(dropout=0.0, penalty=penalty)
        fit(model, data, config, 0, tmp_path / f"{penalty}", tmp_path / "o", SilentProgress())
        norms.append(float(np.square(read_weights(model)[0]).sum()))
    assert norms[1] < 0.5 * norms[0]


def test_a_loss_that_is_not_finite_names_its_exact_step(
    build: Callable[..., Any], data: PreparedData, folders: Folders
) -> None:
    """One poisoned sample: the step of epoch 1 whose batch holds it is the one to be named."""
    train = type(data.train)(data.train.x.copy(), data.train.y)
    poisoned = dataclasses.replace(data, splits={**data.splits, "train": train})
    poisoned.train.x[17, 2] = np.nan
    step = int(np.flatnonzero(epoch_order(4, 0, 100) == 17)[0]) // 10
    config = TrainConfig(epochs=3, batch_size=10, optimizer=ADAM)
    bar = Bar()
    with pytest.raises(TrainingError) as caught:
        fit(build(dropout=0.0), poisoned, config, 4, *folders, bar)
    message = str(caught.value)
    assert message.startswith(f"train: the loss is nan at step {step} (counted from 0), in epoch 1")
    assert "lower optimizer.learning_rate" in message
    assert "\n" not in message
    assert bar.calls[-1] == "end"


def test_a_validation_loss_that_is_not_finite_names_its_epoch(
    build: Callable[..., Any], data: PreparedData, folders: Folders
) -> None:
    validation = type(data.validation)(np.full_like(data.validation.x, np.inf), data.validation.y)
    broken = dataclasses.replace(data, splits={**data.splits, "validation": validation})
    config = TrainConfig(epochs=3, batch_size=50, optimizer=ADAM)
    with pytest.raises(TrainingError, match=r"the validation loss is nan after epoch 1 of 3"):
        fit(build(), broken, config, 0, *folders, SilentProgress())
    assert load_checkpoint(folders[0]) is None


def test_ctrl_c_leaves_a_checkpoint_that_goes_on(
    build: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    config = TrainConfig(epochs=4, batch_size=25, optimizer=ADAM)

    def interrupt(row: dict[str, float]) -> None:
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    places = (tmp_path / "interrupted", tmp_path / "output")
    with pytest.raises(KeyboardInterrupt):
        fit(build(), data, config, 0, *places, SilentProgress(), on_epoch=interrupt)
    assert checkpoint_of(places[0]).epoch == 2
    fit(build(), data, config, 0, *places, SilentProgress())
    fit(build(), data, config, 0, tmp_path / "alone", places[1], SilentProgress())
    assert_same_bits(checkpoint_of(places[0]).arrays, checkpoint_of(tmp_path / "alone").arrays)


def test_a_training_beside_a_teacher_goes_on_bit_for_bit(
    build: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    """Its answers are made anew for each mixed batch, in both sittings."""
    teacher = build(dropout=0.0)
    config = TrainConfig.model_validate(
        {"epochs": 2, "batch_size": 50, "distillation": {"alpha": 0.9}, "mixup": 0.3}
    )
    where = (0, tmp_path / "parts", tmp_path / "output", SilentProgress())
    fit(build(), data, config, *where, stop_epoch=1, teacher=teacher)
    fit(build(), data, config, *where, teacher=teacher)
    fit(build(), data, config, 0, tmp_path / "alone", *where[2:], teacher=teacher)
    assert_same_bits(checkpoint_of(where[1]).arrays, checkpoint_of(tmp_path / "alone").arrays)


def test_a_full_disk_is_a_storage_error(
    build: Callable[..., Any],
    data: PreparedData,
    folders: Folders,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_space(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(StorageError, match="No space left"):
        fit(build(), data, TrainConfig(epochs=1), 0, *folders, SilentProgress())


def test_sigkill_then_the_same_command_gives_the_same_bits(tmp_path: Path) -> None:
    """Killed in the middle with -9, resumed in a fresh process; dropout and early stopping."""
    repository = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    command = [sys.executable, "-m", "tests.training.killed_training", str(tmp_path / "killed")]
    process = subprocess.Popen(
        [*command, "0.05"], cwd=repository, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "5":
            process.kill()
            break
    assert process.wait() == -9
    killed_at = checkpoint_of(tmp_path / "killed" / "work").epoch
    assert 5 <= killed_at < killed_training.EPOCHS
    done = subprocess.run(
        [*command, "0"], cwd=repository, env=environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.split()[0] == str(killed_at + 1)

    _, result = killed_training.train(tmp_path / "alone", 0, False)  # type: ignore[misc]
    assert isinstance(result, FitResult)
    assert result.best_epoch < killed_training.EPOCHS  # so the best weights are not the last
    resumed = checkpoint_of(tmp_path / "killed" / "work")
    alone = checkpoint_of(tmp_path / "alone" / "work")
    assert any(name.startswith("best/") for name in alone.arrays)
    assert_same_bits(resumed.arrays, alone.arrays)
    assert resumed.state["stopper"] == alone.state["stopper"]
    schedules = [tmp_path / name / "output" / "schedule.csv" for name in ("killed", "alone")]
    assert schedules[0].read_bytes() == schedules[1].read_bytes()


def test_augmentation_never_touches_the_validation_data(
    data: PreparedData, build: Callable[..., Any], folders: Folders
) -> None:
    before = {name: split.x.copy() for name, split in data.splits.items()}
    settings = {"epochs": 2, "augmentation": {"noise": 0.5}, "mixup": 0.4, "label_smoothing": 0.1}
    plain, model = build(dropout=0.0), build(dropout=0.0)
    kept = TrainConfig(epochs=2, optimizer=ADAM)
    fit(plain, data, kept, 0, folders[0] / "plain", folders[1] / "plain", SilentProgress())
    changed = TrainConfig.model_validate({**settings, "optimizer": ADAM})
    result = fit(model, data, changed, 0, *folders, SilentProgress())
    assert all((data.splits[name].x == x).all() for name, x in before.items())
    # What is recorded is what the model gives on the samples as they are.
    assert result.validation == evaluate_model(model, data.validation, data.task)
    assert (read_weights(model)[0] != read_weights(plain)[0]).any()
