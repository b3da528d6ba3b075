"""Operators and keras.ops: as layers where one means the same, else as themselves."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.operations import OperationSpec


def _ops() -> dict[str, tuple[Callable[[Any, Any], Any], str]]:
    from keras import ops

    return {
        "add": (lambda a, b: a + b, "Add"),
        "subtract": (lambda a, b: a - b, "Subtract"),
        "multiply": (lambda a, b: a * b, "Multiply"),
        "maximum": (lambda a, b: ops.maximum(a, b), "Maximum"),
        "minimum": (lambda a, b: ops.minimum(a, b), "Minimum"),
        "concatenate": (lambda a, b: ops.concatenate([a, b], axis=2), "Concatenate"),
        "relu": (lambda a, b: ops.relu(a), "Activation"),
        "relu6": (lambda a, b: ops.relu6(3 * a), "ReLU"),
        "leaky_relu": (lambda a, b: ops.leaky_relu(a, 0.3), "LeakyReLU"),
        "softmax": (lambda a, b: ops.softmax(a, axis=1), "Softmax"),
        "tanh": (lambda a, b: ops.tanh(a), "Activation"),
        "silu": (lambda a, b: ops.silu(a), "Activation"),
        "gelu": (lambda a, b: ops.gelu(a), "BridgeOperation"),
        "add_scalar": (lambda a, b: 2.0 + a, "BridgeOperation"),
        "add_array": (lambda a, b: a + np.arange(4, dtype=np.float32), "BridgeOperation"),
        "add_of_other_rank": (lambda a, b: a + ops.max(b), "BridgeOperation"),
        "power": (lambda a, b: a**2, "BridgeOperation"),
        "negative": (lambda a, b: -a, "BridgeOperation"),
        "slice": (lambda a, b: a[:, 1:, ::2], "BridgeOperation"),
        "reshape": (lambda a, b: ops.reshape(a, (-1, 12)), "BridgeOperation"),
        "transpose": (lambda a, b: ops.transpose(a, (0, 2, 1)), "BridgeOperation"),
        "mean": (lambda a, b: ops.mean(a, axis=-1, keepdims=True), "BridgeOperation"),
        "einsum": (lambda a, b: ops.einsum("bij,bkj->bik", a, b), "BridgeOperation"),
        "matmul": (lambda a, b: ops.matmul(a, ops.swapaxes(b, 1, 2)), "BridgeOperation"),
        "where": (lambda a, b: ops.where(a > b, a, 0.5), "BridgeOperation"),
        "keyword": (lambda a, b: ops.where(condition=a > b, x1=a, x2=b), "BridgeOperation"),
        "twice_the_same": (lambda a, b: a * a, "Multiply"),
        "pad": (lambda a, b: ops.pad(a, ((0, 0), (1, 0), (0, 2))), "BridgeOperation"),
    }


@pytest.mark.parametrize("name", _ops())
def test_an_operation_crosses(name: str) -> None:
    import keras

    function, class_name = _ops()[name]
    a, b = keras.Input((3, 4)), keras.Input((3, 4))
    model = keras.Model([a, b], [function(a, b), keras.layers.Identity()(b)])
    crossed = to_tf_keras(model)
    samples = [np.random.default_rng(k).normal(size=(5, 3, 4)).astype(np.float32) for k in (0, 1)]
    for expected, received in zip(model(samples), crossed(samples), strict=True):
        np.testing.assert_allclose(received, expected, atol=1e-6)
    assert class_name in {type(layer).__name__ for layer in crossed.layers}


def test_an_operation_with_several_outputs_crosses() -> None:
    import keras
    from keras import ops

    inputs = keras.Input((6,))
    left, _, right = ops.split(inputs, 3, axis=1)
    model = keras.Model(inputs, left - right)
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    np.testing.assert_allclose(to_tf_keras(model)(x), x[:, :2] - x[:, 4:], atol=1e-6)


def test_an_operation_from_outside_keras_runs_as_itself() -> None:
    import keras

    class Relu(keras.Operation):
        """Not Keras's."""

        def call(self, x: Any) -> Any:
            return 2 * x

        def compute_output_spec(self, x: Any) -> Any:
            return keras.KerasTensor(x.shape)

    inputs = keras.Input((3,))
    crossed = to_tf_keras(keras.Model(inputs, Relu(name="mine")(inputs)))
    np.testing.assert_array_equal(crossed(np.ones((2, 3))), np.full((2, 3), 2.0))


def test_a_spec_is_copied_as_itself() -> None:
    spec = OperationSpec(object(), (), {})
    assert copy.deepcopy({"spec": spec})["spec"] is spec
