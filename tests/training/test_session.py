"""A training between its epochs: its rows, its checkpoints, and which one it takes up."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.optimizer import OptimizerConfig
from pipeline.config.schedule import StepSchedule
from pipeline.config.train import EarlyStopping, TrainConfig
from pipeline.data.batches import epoch_order
from pipeline.data.prepared import PreparedData, Split
from pipeline.errors import ConfigError, TrainingError
from pipeline.training.checkpoint import load_checkpoint
from pipeline.training.evaluate import evaluate_model
from pipeline.training.schedules import learning_rates
from pipeline.training.session import TrainingSession
from pipeline.training.state import read_weights

HALVED = StepSchedule.model_validate({"kind": "step", "drop": 0.5, "every": "1 epoch"})
CONFIG = TrainConfig(
    epochs=3, batch_size=32, schedule=HALVED,
    optimizer=OptimizerConfig(name="sgd", learning_rate=0.05, arguments={"momentum": 0.9}),
)  # fmt: skip


def session(
    model: Any, data: PreparedData, work: Path, config: TrainConfig = CONFIG, seed: int = 1
) -> TrainingSession:
    return TrainingSession(model, data, config, seed, work, "train")


def bits(model: Any) -> list[bytes]:
    return [array.tobytes() for array in read_weights(model)]


def without_seconds(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]


def constant_model(penalty: float = 0.0, value: float = 0.0) -> Any:
    """Logits 5, 0, 0 whatever the input, while the kernel's columns are equal."""
    import keras

    inputs = keras.Input((6,))
    layer = keras.layers.Dense(
        3, kernel_initializer=keras.initializers.Constant(value),
        kernel_regularizer=keras.regularizers.L2(penalty) if penalty else None,
        bias_initializer=keras.initializers.Constant(np.float32([5, 0, 0])),
    )  # fmt: skip
    return keras.Model(inputs, layer(inputs))


def test_the_figures_of_an_epoch_are_means_over_its_samples(
    data: PreparedData, tmp_path: Path
) -> None:
    """At a rate of 1e-9 nothing moves: each sample's loss is known, the last batch has 4."""
    config = TrainConfig(
        epochs=1, batch_size=32, optimizer=OptimizerConfig(name="sgd", learning_rate=1e-9)
    )
    (row,) = session(constant_model(), data, tmp_path, config).run_epochs(1)
    total = np.log(np.exp(5) + 2)
    zeros = {name: int(np.sum(split.y == 0)) for name, split in data.splits.items()}
    assert row["loss"] == pytest.approx(total - 5 * zeros["train"] / 100, rel=1e-5)
    assert row["accuracy"] == zeros["train"] / 100
    assert row["val_loss"] == pytest.approx(total - 5 * zeros["validation"] / 30, rel=1e-5)
    assert row["val_accuracy"] == zeros["validation"] / 30
    assert row["epoch"] == 1 and row["learning_rate"] == 1e-9 and row["seconds"] > 0


def test_each_row_is_on_disk_when_it_is_yielded(
    build: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    model = build()
    running = session(model, data, tmp_path)
    for epoch, row in enumerate(running.run_epochs(3), 1):
        checkpoint = load_checkpoint(tmp_path)
        assert checkpoint is not None and checkpoint.epoch == epoch == row["epoch"]
        assert checkpoint.state["history"] == running.history
        assert running.history[-1] is row
        assert checkpoint.arrays["learning_rates"].shape == (4 * epoch,)
        saved = [checkpoint.arrays[f"model/{number:05d}"].tobytes() for number in range(9)]
        assert saved == bits(model)
    expected = learning_rates(HALVED, 0.05, 4, 3)
    np.testing.assert_array_equal(running.rates, expected)
    assert [row["learning_rate"] for row in running.history] == [0.05, 0.025, 0.0125]

    assert list(running.run_epochs(3)) == list(running.run_epochs(2)) == [], "it is finished"
    resumed = build()
    assert list(session(resumed, data, tmp_path).run_epochs(3)) == []
    assert bits(resumed) == bits(model) == saved


def test_two_sittings_are_one_training(
    build: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    whole = build()
    alone = session(whole, data, tmp_path / "whole")
    list(alone.run_epochs(3))
    list(session(build(), data, tmp_path / "parts").run_epochs(1))
    part = build()
    running = session(part, data, tmp_path / "parts")
    assert (len(running.history), len(running.rates)) == (1, 4)
    assert [row["epoch"] for row in running.run_epochs(3)] == [2, 3]
    assert without_seconds(running.history) == without_seconds(alone.history)
    np.testing.assert_array_equal(running.rates, alone.rates)
    assert running.stopper == alone.stopper
    assert bits(part) == bits(whole)


def test_another_training_starts_over(
    build: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    list(session(constant_model(), data, tmp_path).run_epochs(1))
    fewer = {**data.splits, "train": Split(data.train.x[:99], data.train.y[:99])}
    longer = CONFIG.model_copy(update={"epochs": 4})
    others = {
        "seed": session(constant_model(), data, tmp_path, seed=2),
        "config": session(constant_model(), data, tmp_path, longer),
        "samples": session(constant_model(), dataclasses.replace(data, splits=fewer), tmp_path),
        "model": session(build(), data, tmp_path),
    }
    for name, other in others.items():
        assert other.history == [] and other.rates.size == 0, name
    assert len(session(constant_model(), data, tmp_path).history) == 1, "the same one does not"


def test_early_stopping_ends_it_and_the_best_weights_are_kept(
    build: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    wild = OptimizerConfig(name="adam", learning_rate=0.5)
    stopping = EarlyStopping(monitor="val_loss", patience=2)
    config = TrainConfig(epochs=40, batch_size=25, optimizer=wild, early_stopping=stopping)
    model = build()
    running = session(model, data, tmp_path, config)
    weights = [bits(model) for _ in running.run_epochs(40)]
    losses = [row["val_loss"] for row in running.history]
    best = int(np.argmin(losses))
    assert running.stopper.stopped and running.stopper.best_epoch == best + 1
    assert len(losses) == best + 3 < 40
    assert weights[best] != weights[-1] == bits(model)
    running.keep_best()
    assert bits(model) == weights[best]

    resumed = build()
    again = session(resumed, data, tmp_path, config)
    assert list(again.run_epochs(40)) == [], "a stop holds over a restart"
    assert bits(resumed) == weights[-1]
    again.keep_best()
    assert bits(resumed) == weights[best]


def test_before_the_first_epoch_there_is_nothing_to_keep(
    build: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    model = build()
    before = bits(model)
    running = session(model, data, tmp_path)
    assert list(running.run_epochs(0)) == []
    running.keep_best()
    assert bits(model) == before


def test_a_penalty_that_is_not_finite_is_found_though_the_loss_is(
    data: PreparedData, tmp_path: Path
) -> None:
    """1e20 squared is beyond float32, while equal logits leave the loss finite."""
    x = np.zeros_like(data.train.x)
    still = {**data.splits, "train": Split(x, data.train.y)}
    running = session(constant_model(0.1, 1e20), dataclasses.replace(data, splits=still), tmp_path)
    words = r"^train: the loss is inf at step 0 \(counted from 0\), in epoch 1 of 3, at learning "
    with pytest.raises(TrainingError, match=words + r"rate 0\.05.*; expected a finite number"):
        list(running.run_epochs(3))
    assert load_checkpoint(tmp_path) is None


def test_the_step_of_a_later_epoch_is_counted_from_the_start(
    data: PreparedData, tmp_path: Path
) -> None:
    """Sound at first; then one sample is poisoned, and the session resumed at epoch 2."""
    list(session(constant_model(), data, tmp_path).run_epochs(1))
    x = data.train.x.copy()
    x[17] = np.nan
    poisoned = dataclasses.replace(data, splits={**data.splits, "train": Split(x, data.train.y)})
    step = 4 + int(np.flatnonzero(epoch_order(1, 1, 100) == 17)[0]) // 32
    running = session(constant_model(), poisoned, tmp_path)
    with pytest.raises(TrainingError, match=rf"at step {step} \(.*\), in epoch 2 of 3"):
        list(running.run_epochs(3))
    assert len(running.history) == 1


def test_a_schedule_that_does_not_fit_is_refused_at_once(
    data: PreparedData, tmp_path: Path
) -> None:
    long = {"kind": "constant", "warmup": 12}
    config = TrainConfig.model_validate({"epochs": 3, "batch_size": 32, "schedule": long})
    with pytest.raises(ConfigError, match="warmup is 12 steps, expected fewer than the 12"):
        session(constant_model(), data, tmp_path, config)


def sgd(**more: Any) -> dict[str, Any]:
    return {"name": "sgd", "learning_rate": 0.2, **more}


def dense_model() -> Any:
    import keras

    inputs = keras.Input((6,))
    return keras.Model(inputs, keras.layers.Dense(3, kernel_initializer="zeros")(inputs))


def test_accumulated_batches_are_one_large_batch(data: PreparedData, tmp_path: Path) -> None:
    """7 batches of 16, 16, 16, 16, 16, 16 and 4, two to an update: those of 32, 32, 32 and 4."""
    schedule = {"kind": "step", "drop": 0.5, "every": 3}
    shared: dict[str, Any] = {"epochs": 2, "schedule": schedule}
    weights, sessions = [], []
    for batch_size, accumulated in ((32, 1), (16, 2)):
        optimizer = sgd(momentum=0.9, gradient_accumulation_steps=accumulated)
        values = {**shared, "batch_size": batch_size, "optimizer": optimizer}
        model = dense_model()
        running = session(
            model, data, tmp_path / str(batch_size), TrainConfig.model_validate(values)
        )
        list(running.run_epochs(2))
        weights.append(read_weights(model))
        sessions.append(running)
    large, small = sessions
    for left, right in zip(*weights, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(large.rates, small.rates)
    np.testing.assert_allclose(small.rates, [0.2] * 3 + [0.1] * 3 + [0.05] * 2)
    for left, right in zip(large.history, small.history, strict=True):
        for key in ("loss", "accuracy", "val_loss", "learning_rate"):
            assert left[key] == pytest.approx(right[key], rel=1e-5), key


def test_the_average_is_validated_and_kept_and_the_weights_trained_on(
    data: PreparedData, tmp_path: Path
) -> None:
    """One update an epoch, so that the average can be followed by hand."""
    trained = []
    for optimizer in (sgd(), sgd(use_ema=True, ema_momentum=0.5)):
        values = {"epochs": 3, "batch_size": "full", "optimizer": optimizer}
        model = dense_model()
        config = TrainConfig.model_validate(values)
        running = session(model, data, tmp_path / str(len(trained)), config)
        trained.append([read_weights(model) for _ in running.run_epochs(3)])
        assert running.rates.shape == (3,), "batch_size full: one step an epoch"
    for plain, averaged in zip(*trained, strict=True):
        for left, right in zip(plain, averaged, strict=True):
            np.testing.assert_array_equal(left, right)

    twin, average = dense_model(), trained[0][0]
    for row, weights in zip(running.history, trained[0], strict=True):
        average = [(a + w) / 2 for a, w in zip(average, weights, strict=True)]
        twin.set_weights(average)
        figures = evaluate_model(twin, data.validation, data.task)
        assert row["val_loss"] == pytest.approx(figures["loss"], rel=1e-6)
    running.keep_best()
    for left, right in zip(read_weights(model), average, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5)


def test_a_plateau_lowers_the_rates_that_run_and_goes_on_after_a_restart(
    data: PreparedData, tmp_path: Path
) -> None:
    """At a rate of 1e-9 no figure gets better: each epoch but the first halves the rate."""
    plateau = {"kind": "reduce_on_plateau", "factor": 0.5, "patience": 1, "warmup": 1}
    optimizer = sgd() | {"learning_rate": 1e-9}
    values = {"epochs": 4, "batch_size": 50, "optimizer": optimizer, "schedule": plateau}
    config = TrainConfig.model_validate(values)
    list(session(dense_model(), data, tmp_path, config).run_epochs(2))
    running = session(dense_model(), data, tmp_path, config)
    list(running.run_epochs(4))
    expected = np.float32([0, 1, 1, 1, 0.5, 0.5, 0.25, 0.25]) * np.float32(1e-9)
    np.testing.assert_allclose(running.rates, expected, rtol=1e-6)
    assert [row["learning_rate"] for row in running.history] == [1e-9, 1e-9, 5e-10, 2.5e-10]
