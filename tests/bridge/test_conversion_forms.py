"""Layers that compute in another form while they are saved, and are themselves again afterwards.

What comes out as a file is in test_layer_matrix.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.bridge import integer_forms
from pipeline.bridge.conversion_forms import FORMS, forms_for_conversion

X = np.random.default_rng(0).normal(size=(3, 6, 4)).astype(np.float32)


def build(*names: str) -> Any:
    """A model of these recurrent layers, one inside the other's wrapper where that is possible."""
    import keras

    layers = keras.layers
    stack = [layers.LSTM(3, return_sequences=True, name=name) for name in names]
    wrapped = layers.Bidirectional(layers.GRU(2, return_sequences=True), name="both_ways")
    each_step = layers.TimeDistributed(layers.Dense(2), name="each_step")
    tail = [layers.Dense(2, "elu"), each_step]
    return keras.Sequential([keras.Input((6, 4)), *stack, wrapped, *tail])


def traced(layer: Any, *args: Any, **kwargs: Any) -> Any:
    """What a layer answers in a traced function, where alone the fused LSTM works."""
    import tensorflow as tf

    return tf.function(lambda: layer(*args, **kwargs), autograph=False)()


def test_answers_stay_the_same_in_every_form() -> None:
    model = build("lstm")
    before = np.asarray(model(X))
    with forms_for_conversion([model]):
        np.testing.assert_allclose(traced(model, X), before, atol=1e-6)
    np.testing.assert_array_equal(model(X), before)


def test_layers_are_themselves_again_even_after_an_error() -> None:
    import keras

    model = build("lstm")
    found = {id(layer): layer for layer in model._flatten_layers()}.values()
    before = [
        (getattr(layer, "unroll", None), getattr(layer, "use_cudnn", None)) for layer in found
    ]
    with pytest.raises(RuntimeError, match="on the way"), forms_for_conversion([model, model]):
        changed = [type(layer).__name__ for layer in found if "call" in vars(layer)]
        assert set(changed) == {"LSTM", "TimeDistributed"} and set(changed) <= set(FORMS)
        assert model.layers[-2].activation is integer_forms.elu
        assert all(layer.unroll for layer in found if hasattr(layer, "unroll"))
        raise RuntimeError("on the way")
    assert not any("call" in vars(layer) for layer in found)
    assert model.layers[-2].activation is keras.activations.elu
    assert before == [
        (getattr(layer, "unroll", None), getattr(layer, "use_cudnn", None)) for layer in found
    ]


def test_classes_of_other_people_keep_their_call() -> None:
    import keras

    class Embedding(keras.layers.Embedding):
        """Bears the name of a class that has a form."""

    layer = Embedding(3, 2)
    layer.build((None, 4))
    with forms_for_conversion([layer]):
        assert "call" not in vars(layer)


@pytest.mark.parametrize("setting", [{"activation": "relu"}, {"use_bias": False}, {}])
def test_only_a_standard_lstm_without_mask_is_fused(setting: dict[str, Any]) -> None:
    import keras

    layer = keras.layers.LSTM(3, return_state=True, **setting)
    before = layer(X)
    mask = np.arange(6) < np.array([[6], [3], [1]])
    masked = layer(X, mask=mask)
    with forms_for_conversion([layer]):
        for expected, received in zip(before, traced(layer, X), strict=True):
            np.testing.assert_allclose(received, expected, atol=1e-6)
        for expected, received in zip(masked, traced(layer, X, mask=mask), strict=True):
            np.testing.assert_allclose(received, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("LayerNormalization", {}),
        ("LayerNormalization", {"axis": (1, 2), "scale": False}),
        ("LayerNormalization", {"axis": 1, "center": False}),
        ("GroupNormalization", {"groups": 2}),
        ("GroupNormalization", {"groups": 3, "axis": 1, "scale": False, "center": False}),
        ("RMSNormalization", {}),
        ("ELU", {"alpha": 0.3}),
        ("PReLU", {"shared_axes": (1,)}),
        ("Embedding", {"input_dim": 7, "output_dim": 3}),
    ],
)
def test_other_layers_compute_the_same(name: str, settings: dict[str, Any]) -> None:
    import keras

    layer = getattr(keras.layers, name)(**settings)
    x = np.arange(18).reshape(3, 6) % 7 if name == "Embedding" else X
    layer(x)
    for weight in layer.weights:
        weight.assign(np.random.default_rng(1).normal(size=weight.shape))
    before = np.asarray(layer(x))
    with forms_for_conversion([layer]):
        assert "call" in vars(layer)
        np.testing.assert_allclose(traced(layer, x), before, atol=1e-5)


def test_operations_of_a_graph_take_their_form() -> None:
    import keras

    x = inputs = keras.Input((6, 4))
    for operation in (keras.ops.elu, keras.ops.celu, keras.ops.selu, keras.ops.softplus):
        x = operation(x)
    model = keras.Model(inputs, keras.ops.log_sigmoid(x))
    before = np.asarray(model(X))
    with forms_for_conversion([model]):
        assert sum("call" in vars(operation) for operation in model.operations) == 5
        np.testing.assert_allclose(traced(model, X), before, atol=1e-5)
    assert not any("call" in vars(operation) for operation in model.operations)
