"""The training step by hand, and the calls into which an epoch is cut."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.config.distillation import Distillation
from pipeline.config.optimizer import OptimizerConfig
from pipeline.tasks.task import classification
from pipeline.training import loop
from pipeline.training.learner import Learner
from pipeline.training.loop import EpochRunner, StepRecord, training_function
from pipeline.training.optimizers import build_optimizer
from pipeline.training.state import read_weights

# One batch of two samples, the same at each step. From zero weights both classes have 1/2, so
# the kernel's gradient is half of the sum of x·(p - label): [[-1/4, 1/4], [1/2, -1/2]].
X, Y = np.float32([[1, 0], [0, 2]]), np.int64([0, 1])
RATES = np.float32([0.4, 0.2])


def linear(penalty: float = 0.0, value: float = 0.0) -> Any:
    """Two inputs, two classes, no bias, equal weights."""
    import keras

    inputs = keras.Input((2,), name="features")
    layer = keras.layers.Dense(
        2, use_bias=False, kernel_initializer=keras.initializers.Constant(value),
        kernel_regularizer=keras.regularizers.L2(penalty) if penalty else None, name="logits",
    )  # fmt: skip
    return keras.Model(inputs, layer(inputs), name="linear")


class Runner:
    """Runs steps over endless repetitions of one batch, going on where it stopped."""

    def __init__(
        self, model: Any, rates: np.ndarray = RATES, x: np.ndarray = X, y: np.ndarray = Y,
        weights: np.ndarray | None = None, teacher: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        import tensorflow as tf

        config = OptimizerConfig(name="sgd", learning_rate=9)
        optimizer = build_optimizer(config)
        optimizer.build(model.trainable_variables)
        weights = np.ones(len(y), np.float32) if weights is None else weights
        task = classification(("a", "b", "c"))
        batch = (x, y, weights) if teacher is None else (x, y, weights, teacher)
        batches = iter(tf.data.Dataset.from_tensors(batch).repeat())
        distillation = None if teacher is None else Distillation(temperature=2.0, alpha=0.25)
        function = training_function(
            Learner(model, distillation), optimizer, task, tf.Variable(rates), np.ones(1, np.int32)
        )
        self.function, self.epochs, self.done = function, EpochRunner(function, batches), 0

    def run(self, steps: int) -> StepRecord:
        record = self.epochs.run(self.done, steps)
        self.done += steps
        return record


def test_two_steps_by_hand() -> None:
    model = linear()
    one_by_one = Runner(model)
    record = one_by_one.run(1)
    assert record.losses.tolist() == pytest.approx([np.log(2)])
    assert record.scores.tolist() == [1], "a tie goes to class 0"
    np.testing.assert_allclose(read_weights(model)[0], [[0.1, -0.1], [-0.2, 0.2]], rtol=1e-6)
    # Logits ±0.1 and ∓0.4: what is missing to 1 is 1 / (1 + e^0.2) and 1 / (1 + e^0.8).
    missing = 1 / (1 + np.exp([0.2, 0.8]))
    record = one_by_one.run(1)
    assert record.losses.tolist() == pytest.approx([-np.log(1 - missing).mean()])
    assert record.scores.tolist() == [2]
    a, b = 0.1 + 0.2 * missing[0] / 2, 0.2 + 0.2 * missing[1]
    np.testing.assert_allclose(read_weights(model)[0], [[a, -a], [-b, b]], rtol=1e-6)


def test_each_step_records_its_own_figures() -> None:
    record = Runner(linear()).run(2)
    missing = 1 / (1 + np.exp([0.2, 0.8]))
    assert record.losses.tolist() == pytest.approx([np.log(2), -np.log(1 - missing).mean()])
    np.testing.assert_array_equal(record.objectives, record.losses)
    assert record.scores.tolist() == [1, 2]
    np.testing.assert_array_equal(record.rates, RATES)
    assert record.samples.tolist() == [2, 2]
    assert [figure.dtype for figure in vars(record).values()] == [np.float32] * 5


def test_the_penalty_is_minimized_and_stands_apart_from_the_loss() -> None:
    model = linear(penalty=0.5, value=1.0)
    record = Runner(model).run(1)
    assert record.losses.tolist() == pytest.approx([np.log(2)])
    assert record.objectives.tolist() == pytest.approx([np.log(2) + 0.5 * 4])
    # Each weight loses rate · 2 · 0.5 · weight = 0.4 more than without a penalty.
    np.testing.assert_allclose(read_weights(model)[0], [[0.7, 0.5], [0.4, 0.8]], rtol=1e-6)


def test_weights_of_samples_scale_the_gradient_and_not_the_recorded_loss() -> None:
    model = linear()
    record = Runner(model, weights=np.float32([2, 0])).run(1)
    assert record.losses.tolist() == pytest.approx([np.log(2)])
    # (2 · ln 2 + 0) / 2: divided by the samples, not by the weights.
    assert record.objectives.tolist() == pytest.approx([np.log(2)])
    # Twice the first sample's part of the gradient, nothing of the second's.
    np.testing.assert_allclose(read_weights(model)[0], [[0.2, -0.2], [0, 0]], atol=1e-7)


def test_a_teacher_is_learned_from_and_is_not_in_the_recorded_loss() -> None:
    """It gives the first sample the odds 3 : 1 at temperature 2, the second even ones."""
    model = linear()
    teacher = np.float32([[2 * np.log(3), 0], [1, 1]])
    record = Runner(model, teacher=teacher).run(1)
    assert record.losses.tolist() == pytest.approx([np.log(2)])
    divergence = 0.75 * np.log(1.5) + 0.25 * np.log(0.5)
    taught = 4 * divergence / 2  # T², mean of the two samples
    assert record.objectives.tolist() == pytest.approx([0.75 * np.log(2) + 0.25 * taught])
    # Gradients in the logits, divided by 2 samples: 0.75 (p - label) + 0.25 · T (p_T - teacher).
    first = np.array([[-0.25, 0.25], [0.5, -0.5]]) * 0.75
    second = 0.25 * 2 * np.array([[-0.25, 0.25], [0, 0]]) / 2
    np.testing.assert_allclose(read_weights(model)[0], -0.4 * (first + second), rtol=1e-5)


def test_the_step_runs_in_training_mode() -> None:
    import keras

    inputs = keras.Input((2,))
    x = keras.layers.BatchNormalization(momentum=0.5, name="norm")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Dropout(0.5)(x)))
    Runner(model).run(1)
    # Means 1/2 and 1, variances 1/4 and 1, taken in by half.
    norm = model.get_layer("norm")
    assert norm.moving_mean.numpy().tolist() == [0.25, 0.5]
    assert norm.moving_variance.numpy().tolist() == [0.625, 1.0]


def test_cutting_an_epoch_into_calls_changes_no_bit(
    build: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(8, 6)).astype(np.float32), rng.integers(0, 3, 8)
    rates = np.linspace(0.1, 0.01, 14, dtype=np.float32)
    results = []
    # One call an epoch; and, as every call is too slow, 3 + 1 + 1 + 1 + 1 and seven times 1.
    for first, limit in ((32, 1e9), (3, 0.0)):
        monkeypatch.setattr(loop, "FIRST_CALL_STEPS", first)
        monkeypatch.setattr(loop, "SECONDS_PER_CALL", limit)
        model = build(dropout=0.5)
        epochs = Runner(model, rates, x, y)
        records = [epochs.run(7), epochs.run(7)]
        figures = [figure for record in records for figure in vars(record).values()]
        results.append([array.tobytes() for array in [*figures, *read_weights(model)]])
        assert epochs.function.experimental_get_tracing_count() == 1, "calls of any length"
        np.testing.assert_array_equal(np.concatenate([r.rates for r in records]), rates)
    assert results[0] == results[1]


def counts(monkeypatch: pytest.MonkeyPatch, seconds: list[float], epochs: list[int]) -> list[int]:
    """Runs epochs of so many steps in calls that take so long; returns the calls' steps."""
    clock, asked = [0.0], []
    durations = iter(seconds)

    def take(iterator: Any, first: Any, steps: Any) -> np.ndarray:
        assert int(first) == 7 + sum(asked) - done
        asked.append(int(steps))
        clock[0] += next(durations)
        return np.full((asked[-1], 5), len(asked))

    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    pretended = EpochRunner(take, iter(()))
    done = 0
    for steps in epochs:
        assert isinstance(record := pretended.run(7, steps), StepRecord)
        done += steps
        assert record.losses.shape == record.rates.shape == (steps,)
    return asked


def test_fast_calls_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    # The rest of an epoch (104) says nothing about 128.
    assert counts(monkeypatch, [0.1] * 5, [200, 200]) == [32, 64, 104, 128, 72]


def test_slow_calls_shrink_down_to_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counts(monkeypatch, [1.1] * 8, [65]) == [32, 16, 8, 4, 2, 1, 1, 1]


def test_calls_of_about_the_right_length_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counts(monkeypatch, [0.25, 0.5, 1.0, 0.1], [100]) == [32, 32, 32, 4]


def test_epochs_shorter_than_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counts(monkeypatch, [0.01] * 3, [3, 3, 3]) == [3, 3, 3]
