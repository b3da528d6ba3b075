"""Each TensorFlow function of the table computes the same as its Keras 3 operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.foreign.classes import OPERATION_MODULES
from pipeline.foreign.keras_2_functions import ALIASES, FUNCTIONS
from pipeline.foreign.live import from_live
from tests.foreign.foreign_models import assert_same_outputs, tf_keras

# Functions of two tensors of shape (6, 6, 4); the second is positive.
CALLS: list[Callable[[Any, Any, Any], Any]] = [
    lambda tf, x, y: x + y,
    lambda tf, x, y: 2.0 - x,
    lambda tf, x, y: 2.0 * x / y,
    lambda tf, x, y: 1.0 / y + x // 2.0 + x % 3.0,
    lambda tf, x, y: -x + y**2.0,
    lambda tf, x, y: tf.maximum(x, y) - tf.minimum(x, 0.5),
    lambda tf, x, y: tf.math.divide_no_nan(x, y),
    lambda tf, x, y: tf.cast(x > y, "float32") + tf.cast(tf.logical_not(x <= 0.0), "float32") * x,
    lambda tf, x, y: tf.where(tf.logical_or(x < -1.0, x >= 1.0), x, y),
    lambda tf, x, y: tf.where(tf.logical_and(tf.equal(x, x), tf.not_equal(y, x)), x, y),
    lambda tf, x, y: tf.matmul(x, tf.transpose(y, (0, 1, 3, 2))),
    lambda tf, x, y: tf.abs(x) + tf.math.ceil(x) + tf.floor(x) + tf.sign(x),
    lambda tf, x, y: tf.sin(x) + tf.cos(x) + tf.math.erf(x) + tf.exp(x),
    lambda tf, x, y: tf.math.log(y) + tf.math.log1p(y) + tf.math.rsqrt(y) + tf.sqrt(y),
    lambda tf, x, y: tf.square(x) + tf.math.reciprocal(y) + tf.tanh(x) + tf.sigmoid(x),
    lambda tf, x, y: tf.identity(x) + tf.stop_gradient(y) + tf.math.softplus(x),
    lambda tf, x, y: tf.nn.relu(x) + tf.nn.relu6(x * 4) + tf.nn.elu(x) + tf.nn.selu(x),
    lambda tf, x, y: tf.nn.silu(x) + tf.nn.softsign(x) + tf.nn.leaky_relu(x),
    lambda tf, x, y: tf.nn.leaky_relu(x, alpha=0.3) + tf.nn.gelu(x),
    lambda tf, x, y: tf.nn.gelu(x, approximate=True) + tf.nn.softmax(x) + tf.nn.softmax(x, 1),
    lambda tf, x, y: tf.nn.log_softmax(x) + tf.clip_by_value(x, -0.5, 0.5),
    lambda tf, x, y: tf.reduce_mean(x, (1, 2)) + tf.reduce_sum(x, [1, 2]),
    lambda tf, x, y: tf.reduce_max(x, -1) + tf.reduce_min(x, -1) + tf.reduce_prod(x, -1),
    lambda tf, x, y: tf.math.reduce_std(x, 1, keepdims=True) + tf.math.reduce_variance(x, 1, True),
    lambda tf, x, y: tf.cast(tf.reduce_any(x > 1.0, -1), "float32") + tf.reduce_logsumexp(x, -1),
    lambda tf, x, y: tf.cast(tf.reduce_all(x > -1.0, -1), "float32") + tf.reduce_sum(x, -1),
    lambda tf, x, y: tf.cumsum(x, axis=1) + tf.cumsum(x, axis=-1),
    lambda tf, x, y: tf.math.l2_normalize(x, axis=-1) + tf.nn.l2_normalize(y * 1e-4, axis=1),
    lambda tf, x, y: tf.concat([x, y, x], axis=-1),
    lambda tf, x, y: tf.stack([x, y], axis=1),
    lambda tf, x, y: tf.unstack(x, axis=1)[2],
    lambda tf, x, y: tf.split(x, 2, axis=-1)[1] + tf.split(x, [1, 1, 2], axis=-1)[2],
    lambda tf, x, y: tf.squeeze(tf.expand_dims(x, 1), axis=1),
    lambda tf, x, y: tf.reshape(x, (-1, 12, 12)),
    lambda tf, x, y: tf.tile(x, (1, 2, 1, 1)) + tf.repeat(x, 2, axis=1),
    lambda tf, x, y: tf.reverse(x, axis=[1]),
    lambda tf, x, y: tf.pad(x, [[0, 0], [1, 1], [0, 2], [0, 0]]),
    lambda tf, x, y: tf.pad(x, [[0, 0], [1, 1], [0, 2], [0, 0]], mode="REFLECT"),
    lambda tf, x, y: tf.image.resize(x, (8, 9)) + tf.image.resize(x, (8, 9), method="nearest"),
    lambda tf, x, y: tf.nn.depth_to_space(x, 2),
    lambda tf, x, y: tf.nn.space_to_depth(x, 2),
    lambda tf, x, y: x[:, 1:-1, ::2, 0],
    lambda tf, x, y: x[..., 1:] + x[:, :, :, tf.newaxis, 0],
    lambda tf, x, y: x[:, ::-1],
]


def test_every_function_computes_the_same() -> None:
    import tensorflow as tf

    k = tf_keras()
    for number, function in enumerate(CALLS):
        x = inputs = k.Input((6, 6, 4), name="x")
        y = k.layers.Rescaling(0.3, offset=1.7, name="y")(k.layers.Activation("tanh")(x))
        theirs = k.Model(inputs, function(tf, x, y))
        try:
            assert_same_outputs(from_live(theirs).model, theirs)
        except Exception as error:
            raise AssertionError(f"function {number}: {error}") from error


def test_every_row_names_an_operation_that_the_gate_allows() -> None:
    assert {row.name for row in FUNCTIONS.values()} <= OPERATION_MODULES.keys()
    assert set(ALIASES.values()) <= FUNCTIONS.keys()
