"""Ranges of activations begin at what the data shows."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.qat import _quantize
from pipeline.bridge.qat_ranges import set_ranges
from pipeline.bridge.state import random_states


def wide_model() -> object:
    """Two layers whose sums go far beyond ±6."""
    import keras

    inputs = keras.Input((4,), name="x")
    x = keras.layers.Dense(4, activation="relu", kernel_initializer="identity", name="a")(inputs)
    x = keras.layers.Dropout(0.0, name="drop")(x)
    return keras.Model(inputs, keras.layers.Dense(4, kernel_initializer="identity", name="b")(x))


def test_ranges_are_those_of_the_data() -> None:
    x = np.random.default_rng(0).normal(scale=20, size=(64, 4)).astype(np.float32)
    quantized = _quantize(to_tf_keras(wide_model()), frozenset({"a", "drop", "b"}))
    kept = [v for v in [*quantized.variables, *random_states(quantized)] if "_m" not in v.name]
    before = [variable.numpy() for variable in kept]
    assert set_ranges(quantized, x) == 2
    for name in ("quant_a", "quant_b"):
        layer = quantized.get_layer(name)
        bounds = layer._quantize_activations[0]._post_activation_vars
        assert float(bounds["min_var"]) == pytest.approx(0.0, abs=0.05)
        assert float(bounds["max_var"]) == pytest.approx(x.max(), rel=0.01)
    for variable, value in zip(kept, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_tfmot_still_begins_at_6() -> None:
    """Fails the day tfmot's ranges begin elsewhere: then set_ranges may not be needed."""
    quantized = _quantize(to_tf_keras(wide_model()), frozenset({"a"}))
    bounds = quantized.get_layer("quant_a")._quantize_activations[0]._post_activation_vars
    assert (float(bounds["min_var"]), float(bounds["max_var"])) == (-6.0, 6.0)


def test_statistics_of_a_layer_whose_name_looks_like_a_range_stay() -> None:
    import keras

    inputs = keras.Input((4,), name="x")
    x = keras.layers.BatchNormalization(name="branch_minus")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, name="d")(x))
    quantized = _quantize(to_tf_keras(model), frozenset({"d"}))
    set_ranges(quantized, np.full((8, 4), 5, np.float32))
    moved = {v.name: v.numpy() for v in quantized.variables if "moving" in v.name}
    assert len(moved) == 2
    for name, value in moved.items():
        assert (value == (1 if "variance" in name else 0)).all(), name
