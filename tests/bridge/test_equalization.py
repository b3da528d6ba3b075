"""Cross-layer equalization: the same function, equal ranges, zeros where they were."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.bridge.equalization import equalize, normalization_factors, prove_equal
from pipeline.bridge.equalization_pairs import find_pairs
from pipeline.compression.equalization import input_ranges, output_ranges
from pipeline.errors import PromiseError
from pipeline.models.predict import predict_outputs
from pipeline.runtime import import_tensorflow

import_tensorflow()
SAMPLES = np.random.default_rng(7).normal(size=(16, 8, 8, 3)).astype(np.float32)


def build_uneven() -> Any:
    """Channels whose ranges differ a thousandfold, with normalization, padding and a Flatten."""
    import keras

    layers = keras.layers
    image = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(4, 3, use_bias=False, name="a")(image)
    x = layers.ReLU()(layers.BatchNormalization(name="a_bn")(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", name="b")(x)
    x = layers.LeakyReLU()(layers.BatchNormalization(name="b_bn")(x))
    x = layers.Conv2D(5, 1, activation="relu", name="c")(layers.ZeroPadding2D()(x))
    x = layers.Flatten()(layers.MaxPooling2D()(x))
    x = layers.Dense(6, activation="relu", name="d")(x)
    model = keras.Model(image, layers.Dense(2, name="e")(x))
    generator = np.random.default_rng(3)
    for weight in model.weights:
        values = generator.normal(size=weight.shape)
        if "variance" in weight.path:
            values = values**2 + 0.1
        elif len(weight.shape) > 1:
            spread = np.exp(generator.normal(size=weight.shape[-1]) * 2)
            values = values * spread * (generator.random(weight.shape) > 0.3)
        weight.assign(values.astype(np.float32))
    return model


def test_the_function_stays_and_the_model_too() -> None:
    model = build_uneven()
    before = [np.asarray(weight).copy() for weight in model.weights]
    equalization = equalize(model)
    assert equalization.pairs == (("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"))
    assert equalization.largest_factor > 2
    assert prove_equal(model, equalization, SAMPLES) < 1e-4
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(np.asarray(weight), value)


def test_a_wrong_factor_is_found() -> None:
    model = build_uneven()
    equalization = equalize(model)
    variable, value = equalization.values[-1]
    wrong = replace(equalization, values=(*equalization.values[:-1], (variable, value[::-1])))
    with pytest.raises(PromiseError, match=r"the outputs differ by .* of their spread, promised"):
        prove_equal(model, wrong, SAMPLES)


def test_ranges_are_equal_and_zeros_stay() -> None:
    model = build_uneven()
    equalization = equalize(model)
    zeros = {id(v): np.asarray(v) == 0 for v, _ in equalization.values if len(v.shape) > 1}
    with equalization.applied():
        found = find_pairs(model)
        for pair in found.pairs:
            first, second = pair.first, pair.second
            made = output_ranges(
                np.asarray(first.layer.kernel), normalization_factors(first, found)
            )
            read = input_ranges(
                np.asarray(second.layer.kernel),
                normalization_factors(second, found),
                pair.channels,
            )
            alive = (made > 0) & (read > 0)
            np.testing.assert_allclose(made[alive], read[alive], rtol=0.02)
        for variable, _ in equalization.values:
            if id(variable) in zeros:
                assert np.array_equal(np.asarray(variable) == 0, zeros[id(variable)])


def test_nothing_to_do() -> None:
    import keras

    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    equalization = equalize(model)
    assert (equalization.pairs, equalization.values) == ((), ())
    with equalization.applied():
        assert predict_outputs(model, SAMPLES).shape == (16, 192)
    assert equalization.metrics() == {"pairs": [], "skipped": {}, "largest_factor": 1.0}
