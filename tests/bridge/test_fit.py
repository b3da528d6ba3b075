"""Fine-tuning in tf_keras: what ran, what is kept, how it stops."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.fit import FineTuning, fine_tune
from pipeline.bridge.predict import evaluate
from pipeline.bridge.steps import StepHooks
from pipeline.config.train import FineTuneConfig
from pipeline.data.batches import epoch_order
from pipeline.data.prepared import PreparedData, Split
from pipeline.errors import TrainingError
from pipeline.progress import SilentProgress
from tests.bridge.bridge_models import linear_model, residual
from tests.bridge.test_pruning import KillAfter, Killed

SETTINGS: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 40,
    "optimizer": {"name": "sgd", "learning_rate": 0.5},
    "schedule": {"kind": "step", "drop": 0.1, "every": "1 epoch"},
}


def run(
    crossed: Any, data: PreparedData, folder: Path, hooks: StepHooks | None = None,
    teacher: Any = None, progress: Any = None, **more: Any,
) -> FineTuning:  # fmt: skip
    config = FineTuneConfig.model_validate({**SETTINGS, **more})
    where = (folder / "work", folder / "output", progress or SilentProgress())
    return fine_tune(crossed, data, config, 5, *where, "prune", hooks, teacher)


def test_gradient_descent_by_hand(tiny_data: PreparedData, tmp_path: Path) -> None:
    """Softmax regression with L2 in NumPy, over the same batches at the same rates."""
    model = linear_model()
    w, b = (weight.numpy().astype(np.float64) for weight in model.weights)
    crossed = to_tf_keras(model)
    hooks = StepHooks(first_candidate=1)
    result = run(crossed, tiny_data, tmp_path, hooks)
    assert result.best_epoch == 2
    for epoch, rate in ((0, 0.5), (1, 0.05)):
        order = epoch_order(5, epoch, 100)
        for start in range(0, 100, 40):
            rows = order[start : start + 40]
            x, y = tiny_data.train.x[rows].reshape(len(rows), -1), tiny_data.train.y[rows]
            scores = np.exp(x @ w + b)
            delta = (scores / scores.sum(1, keepdims=True) - np.eye(3)[y]) / len(rows)
            w, b = w - rate * (x.T @ delta + 0.02 * w), b - rate * delta.sum(0)
    np.testing.assert_allclose(crossed.get_layer("logits").kernel.numpy(), w, atol=1e-5)
    np.testing.assert_allclose(crossed.get_layer("logits").bias.numpy(), b, atol=1e-5)


def test_the_files_say_what_ran(tiny_data: PreparedData, tmp_path: Path) -> None:
    result = run(to_tf_keras(linear_model()), tiny_data, tmp_path)
    with (tmp_path / "output" / "schedule.csv").open() as file:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(file)]
    assert rates == pytest.approx([0.5] * 3 + [0.05] * 3)
    with (tmp_path / "output" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [1, 2]
    assert float(rows[1]["val_loss"]) == result.history[1]["val_loss"]
    assert result.history[1]["learning_rate"] == pytest.approx(0.05)


def test_the_best_epoch_is_kept_among_the_candidates(
    tiny_data: PreparedData, tmp_path: Path
) -> None:
    crossed = to_tf_keras(linear_model())
    spoil = crossed.get_layer("logits").kernel
    epochs = iter([lambda: None, lambda: spoil.assign(-spoil), lambda: None])
    hooks = StepHooks(epoch_end=lambda: next(epochs)())
    result = run(crossed, tiny_data, tmp_path, hooks, optimizer={"learning_rate": 1e-6}, epochs=3)
    assert result.validation == evaluate(crossed, tiny_data.validation, tiny_data.task)
    scores = [(row["val_accuracy"], -row["val_loss"]) for row in result.history]
    assert result.best_epoch == 1 + scores.index(max(scores))
    assert len({row["val_accuracy"] for row in result.history}) > 1


def test_a_finished_training_is_not_run_again(tiny_data: PreparedData, tmp_path: Path) -> None:
    model = linear_model()
    first, second = to_tf_keras(model), to_tf_keras(model)
    one = run(first, tiny_data, tmp_path)
    two = run(second, tiny_data, tmp_path)
    assert one.history == two.history
    for a, b in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_training_beside_a_teacher_goes_on_bit_for_bit(
    tiny_data: PreparedData, tmp_path: Path
) -> None:
    """A Keras 3 model teaches one of tf_keras; killed after the first of two epochs."""
    teacher, model = linear_model(), linear_model()
    teacher.set_weights([10.0 * weight for weight in teacher.get_weights()])
    more = {"distillation": {"alpha": 0.9}, "augmentation": {"noise": 0.1}}
    with pytest.raises(Killed):
        run(to_tf_keras(model), tiny_data, tmp_path / "a", None, teacher, KillAfter(1), **more)
    killed, alone, plain = (to_tf_keras(model) for _ in range(3))
    one = run(killed, tiny_data, tmp_path / "a", None, teacher, **more)
    other = run(alone, tiny_data, tmp_path / "b", None, teacher, **more)
    assert [row["loss"] for row in one.history] == [row["loss"] for row in other.history]
    for mine, theirs in zip(killed.weights, alone.weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    run(plain, tiny_data, tmp_path / "c", augmentation=more["augmentation"])
    assert not np.allclose(plain.weights[0].numpy(), alone.weights[0].numpy())


def test_a_loss_that_is_not_finite_names_its_step(tiny_data: PreparedData, tmp_path: Path) -> None:
    x = tiny_data.train.x.copy()
    x[90] = np.nan
    data = PreparedData(
        {**tiny_data.splits, "train": Split(x, tiny_data.train.y)},
        tiny_data.task, (8, 8, 1), None, "sidecar",
    )  # fmt: skip
    step = int(np.flatnonzero(epoch_order(5, 0, 100) == 90)[0]) // 40
    words = rf"prune: the loss is not finite at step {step} \(epoch 1\); lower prune.optimizer"
    with pytest.raises(TrainingError, match=words):
        run(to_tf_keras(linear_model()), data, tmp_path)


def test_another_training_starts_over(tiny_data: PreparedData, tmp_path: Path) -> None:
    """Shapes alone would fit: it is the digest of the settings that differs."""
    first = run(to_tf_keras(linear_model()), tiny_data, tmp_path, epochs=1)
    others: dict[str, dict[str, Any]] = {
        "epochs": {"epochs": 2},
        "rate": {"epochs": 1, "optimizer": {"name": "sgd", "learning_rate": 0.25}},
    }
    for name, more in others.items():
        again = run(to_tf_keras(linear_model()), tiny_data, tmp_path, **more)
        assert again.history[0]["seconds"] != first.history[0]["seconds"], name
    other = run(to_tf_keras(residual()), tiny_data, tmp_path, epochs=1)
    assert len(other.history) == 1


def test_accumulated_batches_are_one_large_batch(tiny_data: PreparedData, tmp_path: Path) -> None:
    """5 batches of 20, two to an update: those of 40, 40 and 20. Rates and hooks count updates."""
    import tensorflow as tf

    model, after = linear_model(), tf.Variable(0)
    tuned = []
    for folder, more in (
        ("large", {}),
        ("small", {"batch_size": 20, "optimizer": {"gradient_accumulation_steps": 2}}),
    ):
        crossed = to_tf_keras(model)
        optimizer = {**SETTINGS["optimizer"], **more.pop("optimizer", {})}
        hooks = StepHooks(after=lambda: after.assign_add(1))
        result = run(crossed, tiny_data, tmp_path / folder, hooks, optimizer=optimizer, **more)
        tuned.append((crossed, result))
    assert int(after) == 6 + 6
    for one, other in zip(*(crossed.weights for crossed, _ in tuned), strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-4, atol=1e-6)
    files = [tmp_path / name / "output" / "schedule.csv" for name in ("large", "small")]
    assert files[0].read_bytes() == files[1].read_bytes()
    for one, other in zip(*(result.history for _, result in tuned), strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-4)


def test_full_is_one_step_an_epoch_and_the_average_is_kept(
    tiny_data: PreparedData, tmp_path: Path
) -> None:
    model = linear_model()
    optimizer = {"name": "sgd", "learning_rate": 0.5, "use_ema": True, "ema_momentum": 0.5}
    crossed, raw = to_tf_keras(model), to_tf_keras(model)
    hooks = StepHooks(first_candidate=2)
    result = run(
        crossed, tiny_data, tmp_path, hooks, epochs=3, batch_size="full", optimizer=optimizer
    )
    weights = []
    run(
        raw, tiny_data, tmp_path / "raw",
        StepHooks(epoch_end=lambda: weights.append(raw.trainable_weights[0].numpy())),
        epochs=3, batch_size="full",
    )  # fmt: skip
    average = (weights[0] + weights[1]) / 4 + weights[2] / 2
    np.testing.assert_allclose(crossed.trainable_weights[0].numpy(), average, rtol=1e-4, atol=1e-6)
    assert result.validation == evaluate(crossed, tiny_data.validation, tiny_data.task)
    with (tmp_path / "output" / "schedule.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3


def test_hooks_run_in_every_step(tiny_data: PreparedData, tmp_path: Path) -> None:
    import tensorflow as tf

    seen, after = tf.Variable(0, dtype=tf.int64), tf.Variable(0)
    hooks = StepHooks(
        before=lambda step: seen.assign_add(step), after=lambda: after.assign_add(1),
        target_sparsity=lambda step: tf.cast(step, tf.float32) / 10,
    )  # fmt: skip
    run(to_tf_keras(linear_model()), tiny_data, tmp_path, hooks)
    assert (int(seen), int(after)) == (0 + 1 + 2 + 3 + 4 + 5, 6)
    with (tmp_path / "output" / "schedule.csv").open() as file:
        assert [row["target_sparsity"] for row in csv.DictReader(file)][:2] == ["0.0", "0.1"]
