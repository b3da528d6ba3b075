"""The moving average by hand, against Keras's own, and its place in the model."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.config.optimizer import OptimizerConfig
from pipeline.training.averaging import WeightAverage, average_in_place, build_average


def test_by_hand() -> None:
    import tensorflow as tf

    weight = tf.Variable([1.0, 8.0])
    average = WeightAverage([weight], 0.5)
    seen = []
    for values in ([2.0, 4.0], [4.0, 0.0], [0.0, 0.0]):
        weight.assign(values)
        average.update()
        with average.in_place():
            seen.append(weight.numpy().tolist())
        assert weight.numpy().tolist() == values, "the weights come back"
    # The first update is taken as it is: nothing of the weights before the training remains.
    assert seen == [[2, 4], [3, 2], [1.5, 1]]


def test_it_is_the_average_of_keras() -> None:
    import keras
    import tensorflow as tf

    theirs = keras.Variable([1.0, -2.0])
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)
    optimizer.build([theirs])
    ours = tf.Variable([1.0, -2.0])
    average = WeightAverage([ours], 0.9)
    for gradient in np.random.default_rng(1).normal(size=(6, 2)).astype(np.float32):
        optimizer.apply([tf.constant(gradient)], [theirs])
        ours.assign_sub(0.1 * gradient)
        average.update()
    optimizer.finalize_variable_values([theirs])
    with average.in_place():
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


def test_weights_come_back_after_an_error() -> None:
    import tensorflow as tf

    weight = tf.Variable(1.0)
    average = WeightAverage([weight], 0.5)
    weight.assign(3.0)
    with pytest.raises(RuntimeError, match="stop"), average.in_place():
        assert float(weight) == 1.0
        raise RuntimeError("stop")
    assert float(weight) == 3.0


def test_its_variables_are_all_its_state() -> None:
    import tensorflow as tf

    weights = [tf.Variable(1.0), tf.Variable(1.0)]
    first, second = (WeightAverage([weight], 0.5) for weight in weights)
    weights[0].assign(5.0)
    first.update()
    for source, target in zip(first.variables, second.variables, strict=True):
        target.assign(source)
    for weight, average in zip(weights, (first, second), strict=True):
        weight.assign(7.0)
        average.update()
    with first.in_place(), second.in_place():
        assert [float(weight) for weight in weights] == [6.0, 6.0]


def test_it_is_made_only_where_it_is_asked_for() -> None:
    import tensorflow as tf

    weight = tf.Variable(1.0)
    assert build_average(OptimizerConfig(), [weight]) is None
    assert build_average(OptimizerConfig(use_ema=True), [weight]) is not None
    with average_in_place(None):
        assert float(weight) == 1.0
