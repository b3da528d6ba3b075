"""Multiply-accumulates: by hand, and the same as counted in a converted file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.bridge.graph import walk
from pipeline.preflight.macs import call_macs, einsum_macs
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.inspect import inspect
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.worker import ConversionWorker


def macs_of(shape: tuple[int | None, ...], apply: Callable[[Any, Any], Any]) -> list[int | None]:
    import keras

    inputs = keras.Input(shape)
    graph = walk(keras.Model(inputs, apply(keras.layers, inputs)))
    return [call_macs(call, graph.shapes) for call in graph.calls]


BY_HAND: dict[str, tuple[tuple[int, ...], Callable[[Any, Any], Any], int]] = {
    "dense": ((5,), lambda k, x: k.Dense(3)(x), 5 * 3),
    "dense on a sequence": ((4, 5), lambda k, x: k.Dense(3)(x), 4 * 5 * 3),
    "einsum dense": (
        (4, 5), lambda k, x: k.EinsumDense("abc,cde->abde", (4, 2, 3))(x), 4 * 5 * 2 * 3,
    ),
    "conv 1d": ((9, 2), lambda k, x: k.Conv1D(3, 4)(x), 6 * 3 * 4 * 2),
    "conv 2d in groups": (
        (6, 6, 4), lambda k, x: k.Conv2D(8, 3, strides=2, padding="same", groups=2)(x),
        3 * 3 * 8 * 3 * 3 * 2,
    ),
    "conv 3d": ((4, 4, 4, 2), lambda k, x: k.Conv3D(3, 2)(x), 27 * 3 * 8 * 2),
    "transposed": (
        (4, 4, 2), lambda k, x: k.Conv2DTranspose(3, 2, strides=2)(x), 16 * 2 * 2 * 2 * 3,
    ),
    "depthwise": (
        (6, 6, 4), lambda k, x: k.DepthwiseConv2D(3, depth_multiplier=2)(x), 16 * 8 * 9,
    ),
    "separable": (
        (6, 6, 4), lambda k, x: k.SeparableConv2D(5, 3)(x), 16 * (4 * 9 + 4 * 5),
    ),
    "lstm": ((7, 3), lambda k, x: k.LSTM(4)(x), 7 * (3 * 16 + 4 * 16)),
    "gru": ((7, 3), lambda k, x: k.GRU(4, return_sequences=True)(x), 7 * (3 * 12 + 4 * 12)),
    "bidirectional": (
        (7, 3), lambda k, x: k.Bidirectional(k.SimpleRNN(4))(x), 2 * 7 * (3 * 4 + 4 * 4),
    ),
    "time distributed": ((7, 3), lambda k, x: k.TimeDistributed(k.Dense(4))(x), 7 * 3 * 4),
    # one step's input convolution (valid, 4 × 4 → 3 × 3) and recurrent convolution (same)
    "conv lstm": (
        (5, 4, 4, 2), lambda k, x: k.ConvLSTM2D(3, 2)(x),
        5 * 9 * (2 * 2 * 2 * 12 + 2 * 2 * 3 * 12),
    ),
    # projections 3 · 6·8·(2·4) and back 6·(2·4)·8; scores and sums 2 heads · 6·6 · (4 + 4)
    "heads": (
        (6, 8), lambda k, x: k.MultiHeadAttention(2, 4)(x, x),
        4 * 6 * 8 * 8 + 2 * 6 * 6 * 8,
    ),
    "attention": ((6, 8), lambda k, x: k.Attention()([x, x]), 6 * 6 * 8 * 2),
    "dot": ((6, 8), lambda k, x: k.Dot(axes=(2, 2))([x, x]), 6 * 6 * 8),
    "matmul": ((6, 6), lambda k, x: x @ x, 6 * 6 * 6),
    "pooling": ((6, 6, 2), lambda k, x: k.MaxPooling2D()(x), 0),
    "embedding": ((6,), lambda k, x: k.Embedding(10, 4)(x), 0),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_HAND)
def test_the_count_by_hand(case: str) -> None:
    shape, apply, expected = BY_HAND[case]
    assert macs_of(shape, apply) == [expected]


def test_einsum_with_hidden_axes() -> None:
    assert einsum_macs("...ij,jk->...ik", [(7, 2, 3), (3, 5)]) == 7 * 2 * 3 * 5


def test_unknown_sizes_and_layers_are_not_guessed() -> None:
    import keras

    class Own(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x @ x

    assert macs_of((None, 4), lambda k, x: k.Conv1D(3, 2)(x)) == [None]
    assert macs_of((None, 4), lambda k, x: k.ReLU()(x)) == [0]
    assert macs_of((4, 4), lambda k, x: Own()(x)) == [None]
    kernel = keras.ops.ones((3, 3, 2, 4))
    assert macs_of((8, 8, 2), lambda k, x: keras.ops.conv(x, kernel)) == [None]


def test_a_converted_file_has_the_same_count(tmp_path: Path, converter: ConversionWorker) -> None:
    import keras

    layers = keras.layers
    inputs = keras.Input((8, 8, 2), name="image")
    x = layers.Conv2D(4, 3, strides=2, padding="same")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.SeparableConv2D(6, 3, padding="same", activation="relu")(x)
    x = layers.Conv2DTranspose(3, 2, strides=2)(x)
    x = layers.MultiHeadAttention(2, 4)(*[layers.Reshape((16, 12))(x)] * 2)
    model = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
    save_keras_model(model, tmp_path / "saved")
    request = ConversionRequest("float", "float32")
    made = convert(tmp_path / "saved", [request], None, tmp_path, converter)["float"]
    graph = walk(model)
    counts = [call_macs(call, graph.shapes) for call in graph.calls]
    assert sum(filter(None, counts)) == inspect(made).total_macs
