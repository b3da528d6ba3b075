"""Each operator of real files, from Keras 3 and from tfmot, finds its layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.bridge import qat
from pipeline.bridge.conversion import save_crossed_for_conversion, save_for_conversion
from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.graph import walk
from pipeline.bridge.layer_names import layer_names
from pipeline.bridge.qat_plan import plan_quantization
from pipeline.bridge.qat_ranges import set_ranges
from pipeline.bridge.start import restart_names
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.flatbuffer import read_model
from pipeline.tflite.layer_of_operator import LayerNames, layers_of_operators
from pipeline.tflite.saved_model import own_names
from pipeline.tflite.worker import ConversionWorker


def residual() -> Any:
    from keras import Input, Model, layers

    image = Input((8, 8, 3), name="image")
    x = layers.Conv2D(4, 3, padding="same", use_bias=False, name="conv")(image)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(name="bn")(x))
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="conv_1")(x)
    y = layers.ReLU(6.0, name="relu_1")(layers.BatchNormalization(name="bn_1")(y))
    y = layers.Conv2D(4, 1, name="conv_2")(y)
    x = layers.Activation("relu", name="act")(layers.Add(name="add")([x, y]))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(8, activation="relu", name="dense")(x)
    return Model(image, layers.Dense(3, name="dense_1")(x), name="residual")


def nested() -> Any:
    from keras import Input, Model, Sequential, layers

    values = Input((6,), name="values")
    shared = layers.Dense(6, activation="relu", name="shared")
    inner = [layers.Dense(4, activation="relu", name="dense"), layers.Dense(6, name="dense_1")]
    x = Sequential([Input((6,)), *inner], name="block")(shared(shared(values)))
    x = layers.Dense(3, name="dense")(x)
    return Model(values, layers.Softmax(name="soft")(x), name="nested")


def recurrent() -> Any:
    from keras import Input, Model, layers

    steps = Input((5, 3), name="steps")
    x = layers.LSTM(4, return_sequences=True, name="lstm")(steps)
    x = layers.LSTM(4, name="lstm_1")(x)
    return Model(steps, layers.Dense(2, name="dense")(x), name="recurrent")


def separable() -> Any:
    from keras import Input, Model, layers

    image = Input((8, 8, 3), name="image")
    x = layers.SeparableConv2D(4, 3, use_bias=False, name="separable")(image)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(name="bn")(x))
    x = layers.Conv2D(4, 3, name="conv2d")(x)
    return Model(image, layers.GlobalAveragePooling2D(name="pool")(x), name="separable_net")


LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"
RESIDUAL = [
    ("CONV_2D", "conv"), ("DEPTHWISE_CONV_2D", "conv_1"), ("CONV_2D", "conv_2"), ("ADD", "add"),
    ("MEAN", "pool"), ("FULLY_CONNECTED", "dense"), ("FULLY_CONNECTED", "dense_1"),
]  # fmt: skip
DENSE = ("shared", "shared", "block/dense", "block/dense_1", "dense")
NESTED = [*(("FULLY_CONNECTED", name) for name in DENSE), ("SOFTMAX", "soft")]
SEPARABLE = [
    ("DEPTHWISE_CONV_2D", "separable"), ("CONV_2D", "separable"), ("CONV_2D", "conv2d"),
    ("MEAN", "pool"),
]  # fmt: skip
RECURRENT = [(LSTM, "lstm"), (LSTM, "lstm_1"), ("FULLY_CONNECTED", "dense")]
ZOO = [(residual, RESIDUAL), (nested, NESTED), (separable, SEPARABLE), (recurrent, RECURRENT)]


def rows_of(path: Path, model: Any) -> list[tuple[str, str]]:
    """The operators that have a layer, each with the first of its layers."""
    file = read_model(path)
    found = layers_of_operators(file, layer_names(model))
    return [
        (operator.name, layers[0])
        for operator, layers in zip(file.main.operators, found, strict=True)
        if layers
    ]


def test_a_bidirectional_lstm_becomes_two_operators() -> None:
    from keras import Sequential, layers

    both = layers.Bidirectional(layers.LSTM(2), name="both")
    other = layers.Bidirectional(layers.GRU(2), name="other")
    model = Sequential([layers.Input((5, 3)), both, layers.RepeatVector(2, name="twice"), other])
    assert layer_names(model) == LayerNames(("both", "twice", "other"), ("both", "both"))


@pytest.mark.parametrize(("build", "expected"), ZOO, ids=[build.__name__ for build, _ in ZOO])
@pytest.mark.parametrize("by_way_of", ["keras", "tfmot"])
def test_every_operator_finds_its_layer(
    build: Any, expected: Any, by_way_of: str, converter: ConversionWorker, tmp_path: Path
) -> None:
    model = build()
    x = np.random.default_rng(0).normal(size=(20, *model.input_shape[1:])).astype(np.float32)
    schemes: list[Any] = ["float32", "int8"]
    if by_way_of == "keras":
        save_for_conversion(model, tmp_path / "saved")
    else:
        schemes = ["int8"]
        restart_names()
        plain = to_tf_keras(model, 0)
        quantized = qat._quantize(plain, frozenset(plan_quantization(plain, walk(model))[0]))
        set_ranges(quantized, x)
        names = ([model.inputs[0].name], own_names(model)[1])
        save_crossed_for_conversion(quantized, tmp_path / "saved", 1, names)
    requests = [ConversionRequest(scheme, scheme) for scheme in schemes]
    for path in convert(tmp_path / "saved", requests, x, tmp_path, converter).values():
        assert rows_of(path, model) == expected
