"""A fresh seed for each test, and one converter for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.runtime import start_tensorflow
from pipeline.tflite.worker import ConversionWorker

start_tensorflow(0)


@pytest.fixture(autouse=True)
def _fresh_seed() -> None:
    import keras

    keras.utils.set_random_seed(3)


@pytest.fixture(scope="session")
def converter() -> Iterator[ConversionWorker]:
    with ConversionWorker(60) as started:
        yield started


@pytest.fixture(scope="session")
def awkward_model() -> Any:
    """Two obstacles (half precision, an operator that TFLite lacks) among ordinary layers."""
    import keras

    layers = keras.layers
    inputs = keras.Input((8, 8, 2), name="image")
    x = layers.Conv2D(4, 3, padding="same", use_bias=False, name="conv")(inputs)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.DepthwiseConv2D(3, name="depth")(x)
    x = keras.ops.erfinv(x)
    x = layers.Conv2D(2, 1, dtype="mixed_float16", name="half_1")(x)
    x = layers.Conv2D(2, 1, dtype="mixed_float16", name="half_2")(x)
    x = layers.Flatten(name="flat")(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax", name="d")(x), name="awkward")
