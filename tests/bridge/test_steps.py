"""Training steps in one call: by hand, in their order, however the call is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.optimizers import build_tf_keras_optimizer
from pipeline.bridge.steps import StepHooks, build_loop
from pipeline.config.distillation import Distillation
from pipeline.config.optimizer import OptimizerConfig
from pipeline.tasks.task import classification
from pipeline.training.learner import Learner

# One batch of two samples, the same at each step. From zero weights both classes have 1/2, so
# the kernel's gradient is half of the sum of x·(p - label): [[-1/4, 1/4], [1/2, -1/2]].
X, Y = np.float32([[1, 0], [0, 2]]), np.int64([0, 1])
WEIGHTS = np.float32([1, 1])
RATES = np.float32([0.4, 0.2, 0.1, 0.3])
TASK = classification(("a", "b"))
ONES = np.ones(1, np.int32)
KERNEL_AFTER_ONE = [[0.1, -0.1], [-0.2, 0.2]]


def linear(penalty: float = 0.0) -> Any:
    """Two inputs, two classes, no bias, zero weights; in tf_keras."""
    import keras

    inputs = keras.Input((2,), name="features")
    regularizer = keras.regularizers.L2(penalty) if penalty else None
    layer = keras.layers.Dense(
        2, use_bias=False, kernel_initializer="zeros", kernel_regularizer=regularizer, name="logits"
    )
    return to_tf_keras(keras.Model(inputs, layer(inputs), name="linear"))


def start(model: Any, hooks: StepHooks | None = None, name: str = "sgd") -> Any:
    """Returns a function (first step, count) → figures that goes on with endless batches."""
    import tensorflow as tf

    config = OptimizerConfig(name=name, learning_rate=9)
    optimizer = build_tf_keras_optimizer(config, "prune")
    optimizer.build(model.trainable_variables)
    run_steps = build_loop(
        Learner(model), optimizer, tf.Variable(RATES), hooks or StepHooks(), TASK, ONES
    )
    batches = iter(tf.data.Dataset.from_tensors((X, Y, WEIGHTS)).repeat())

    def run(first: int, count: int) -> np.ndarray:
        return run_steps(batches, tf.constant(first, tf.int64), tf.constant(count)).numpy()

    return run


def kernel(model: Any) -> Any:
    return model.get_layer("logits").kernel


def test_two_steps_by_hand() -> None:
    model = linear()
    run = start(model)
    # A tie goes to class 0: one of two is right.
    assert run(0, 1)[0].tolist() == pytest.approx([np.log(2), np.log(2), 1, 2, 0.4])
    np.testing.assert_allclose(kernel(model).numpy(), KERNEL_AFTER_ONE, rtol=1e-6)
    # Logits ±0.1 and ∓0.4: what is missing to 1 is 1 / (1 + e^0.2) and 1 / (1 + e^0.8).
    missing = 1 / (1 + np.exp([0.2, 0.8]))
    loss = -np.log(1 - missing).mean()
    assert run(1, 1)[0].tolist() == pytest.approx([loss, loss, 2, 2, 0.2])
    a, b = 0.1 + 0.2 * missing[0] / 2, 0.2 + 0.2 * missing[1]
    np.testing.assert_allclose(kernel(model).numpy(), [[a, -a], [-b, b]], rtol=1e-6)


def test_a_teacher_is_learned_from_as_in_the_other_loop() -> None:
    """The very case of tests/training/test_loop.py."""
    import tensorflow as tf

    model = linear()
    optimizer = build_tf_keras_optimizer(OptimizerConfig(name="sgd", learning_rate=9), "prune")
    optimizer.build(model.trainable_variables)
    run_steps = build_loop(
        Learner(model, Distillation(temperature=2.0, alpha=0.25)), optimizer, tf.Variable(RATES),
        StepHooks(), TASK, ONES,
    )  # fmt: skip
    teacher = np.float32([[2 * np.log(3), 0], [1, 1]])
    batches = iter(tf.data.Dataset.from_tensors((X, Y, WEIGHTS, teacher)))
    loss, objective = run_steps(batches, tf.constant(0, tf.int64), tf.constant(1)).numpy()[0, :2]
    assert loss == pytest.approx(np.log(2))
    taught = 4 * (0.75 * np.log(1.5) + 0.25 * np.log(0.5)) / 2
    assert objective == pytest.approx(0.75 * np.log(2) + 0.25 * taught)
    gradient = np.array([[-0.25, 0.25], [0.375, -0.375]])
    np.testing.assert_allclose(kernel(model).numpy(), -0.4 * gradient, rtol=1e-5)


def test_the_penalty_is_minimized_with_the_loss() -> None:
    model = linear(penalty=0.5)
    kernel(model).assign([[1, 1], [1, 1]])
    figures = start(model)(0, 1)
    assert figures[0, 0] == pytest.approx(np.log(2)), "without the penalty"
    # Each weight loses rate · 2 · 0.5 · weight = 0.4 more than without a penalty.
    np.testing.assert_allclose(kernel(model).numpy(), np.add(KERNEL_AFTER_ONE, 0.6), rtol=1e-6)


def test_an_endless_penalty_shows() -> None:
    model = linear(penalty=3e38)
    kernel(model).assign([[2, 2], [2, 2]])
    figures = start(model)(0, 1)[0]
    assert figures[0] == pytest.approx(np.log(2)) and figures[1] == np.inf


@pytest.mark.parametrize("cuts", [(4,), (1, 1, 1, 1), (3, 1)])
def test_cutting_the_call_changes_no_figure(cuts: tuple[int, ...]) -> None:
    whole, cut = linear(), linear()
    expected = start(whole, name="adam")(0, 4)
    run, first, parts = start(cut, name="adam"), 0, []
    for count in cuts:
        parts.append(run(first, count))
        first += count
    assert expected.shape == (4, 5) and expected.dtype == np.float32
    np.testing.assert_array_equal(np.concatenate(parts), expected)
    np.testing.assert_array_equal(expected[:, 4], RATES)
    np.testing.assert_array_equal(kernel(cut).numpy(), kernel(whole).numpy())


def test_a_resumed_training_takes_up_the_table_where_it_stopped() -> None:
    assert start(linear())(2, 2)[:, 4].tolist() == pytest.approx([0.1, 0.3])


def test_an_empty_call() -> None:
    model = linear()
    assert start(model)(0, 0).shape == (0, 5)
    assert not kernel(model).numpy().any()


def test_hooks_run_before_the_forward_pass_and_after_the_update() -> None:
    import tensorflow as tf

    model = linear()
    weight = kernel(model)
    log = tf.Variable(tf.zeros((3, 2)))
    number = tf.Variable(0, dtype=tf.int64)

    def before(step: tf.Tensor) -> None:
        assert step.dtype == tf.int64
        number.assign(step)
        log.scatter_nd_update([[step, 0]], [weight[1, 1]])
        weight.assign(tf.zeros((2, 2)))

    def after() -> None:
        log.scatter_nd_update([[number, 1]], [weight[1, 1]])
        weight.assign(2 * weight)

    figures = start(model, StepHooks(before=before, after=after))(0, 3)
    # Each step starts from zeros, so its loss is ln 2 and the new weight rate / 2; `after`
    # doubles it, and the next `before` sees that.
    assert figures[:, 0].tolist() == pytest.approx([np.log(2)] * 3)
    expected = [[0, 0.2], [0.4, 0.1], [0.2, 0.05]]
    np.testing.assert_allclose(log.numpy(), expected, rtol=1e-5)
    assert float(weight[1, 1]) == pytest.approx(0.1)


def test_the_target_sparsity_is_read_at_the_end_of_the_step() -> None:
    import tensorflow as tf

    acting = tf.Variable(0.0)
    hooks = StepHooks(
        before=lambda step: acting.assign(tf.cast(step, tf.float32) / 8),
        after=lambda: acting.assign_add(1),
        target_sparsity=lambda step: acting + 10 * tf.cast(step, tf.float32),
    )
    figures = start(linear(), hooks)(1, 3)
    assert figures[:, 5].tolist() == [11.125, 21.25, 31.375]


def test_the_end_of_the_epoch_is_not_the_steps_affair() -> None:
    ended: list[int] = []
    start(linear(), StepHooks(epoch_end=lambda: ended.append(1)))(0, 2)
    assert ended == []


def test_hooks_do_nothing_by_default() -> None:
    hooks = StepHooks()
    assert hooks.before(None) is hooks.after() is hooks.epoch_end() is None
    assert hooks.target_sparsity is None and hooks.first_candidate == 0


def test_dropout_and_batch_normalization_run_in_training_mode() -> None:
    import keras

    inputs = keras.Input((2,), name="features")
    x = keras.layers.BatchNormalization(momentum=0.5, name="norm")(inputs)
    x = keras.layers.Dropout(0.5, name="drop")(x)
    outputs = keras.layers.Dense(2, name="logits")(x)
    model = to_tf_keras(keras.Model(inputs, outputs, name="noisy"))
    start(model)(0, 1)
    # Means 1/2 and 1, variances 1/4 and 1, taken in by half; x is no weight, so one step shows.
    norm = model.get_layer("norm")
    assert norm.moving_mean.numpy().tolist() == [0.25, 0.5]
    assert norm.moving_variance.numpy().tolist() == [0.625, 1.0]
