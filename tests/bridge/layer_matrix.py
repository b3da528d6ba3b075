"""One tiny model for each kind of layer, and what Slimline makes of it as int8: the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

Build = Callable[[], keras.Model]
Part = Callable[[Any], Any]


@dataclass(frozen=True)
class Row:
    """What is promised of one model.

    Attributes:
        build: makes it.
        int8: bound on the mean difference from Keras relative to the outputs' spread; about twice
            what was measured (tensorflow 2.21.0, LiteRT 2.3.0).
        floats: operators that stay in float32, and how many; () is full integer.
        refused: what is said where no file can be made, not even a float one.
    """

    build: Build
    int8: float = 0.045
    floats: tuple[str, ...] = ()
    refused: str = ""


def images(*parts: Part) -> Build:
    """Images 8×8×3 → the parts → four logits."""
    return _model(parts, shape=(8, 8, 3), name="image")


def sequences(*parts: Part) -> Build:
    """Six steps of four numbers → the parts → four logits."""
    return _model(parts, shape=(6, 4), name="steps")


def words(*parts: Part) -> Build:
    """Six ids, of which 0 fills up → the parts → four logits."""
    return _model(parts, shape=(6,), dtype="int32", name="words")


def _model(parts: tuple[Part, ...], **inputs: Any) -> Build:
    def build() -> keras.Model:
        x = given = keras.Input(**inputs)
        for part in parts:
            x = part(x)
        x = layers.Flatten()(x) if len(x.shape) > 2 else x
        return keras.Model(given, layers.Dense(4, name="logits")(x))

    return build


def a(name: str, *values: Any, **settings: Any) -> Part:
    """A layer of this class, a new one in each model."""
    return lambda x: getattr(layers, name)(*values, **settings)(x)


def both_ways(name: str, **settings: Any) -> Part:
    return lambda x: layers.Bidirectional(getattr(layers, name)(5, **settings))(x)


def each_step(name: str, *values: Any) -> Part:
    return lambda x: layers.TimeDistributed(getattr(layers, name)(*values))(x)


def activations(*functions: Any) -> Part:
    """The outputs of one convolution through each of them, side by side."""
    return lambda x: layers.Concatenate()([layers.Conv2D(3, 3)(f(x)) for f in functions])


def different_scales(x: Any) -> Any:
    loud = layers.Rescaling(20.0)(layers.Conv2D(3, 3)(x))
    return layers.Concatenate()([layers.Conv2D(3, 3)(x), loud])


def attention(x: Any) -> Any:
    return layers.MultiHeadAttention(2, 4)(x, x)


def transformer_block(x: Any) -> Any:
    x = layers.Dense(8)(x)
    y = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.MultiHeadAttention(2, 4)(y, y)])
    y = layers.Dense(16, activation="gelu")(layers.LayerNormalization()(x))
    return layers.GlobalAveragePooling1D()(layers.Add()([x, layers.Dense(8)(y)]))


def shared_and_nested(x: Any) -> Any:
    inner = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(3, 3, activation="elu")])
    return layers.Concatenate()([inner(x), inner(ops.flip(x, 1))])


conv, batch_normalization = a("Conv2D", 4, 3), a("BatchNormalization")
embedding, masked = a("Embedding", 9, 4), a("Embedding", 9, 4, mask_zero=True)

ROWS: dict[str, Row] = {
    # normalization
    "BatchNormalization first": Row(images(batch_normalization, conv)),
    "BatchNormalization after pooling": Row(images(conv, a("MaxPooling2D"), batch_normalization)),
    "BatchNormalization after Dense": Row(sequences(a("Dense", 6), batch_normalization)),
    "LayerNormalization": Row(sequences(a("Dense", 8), a("LayerNormalization")), 0.08),
    "GroupNormalization": Row(images(conv, a("GroupNormalization", 2))),
    # convolution and shape
    "Conv1D": Row(sequences(a("Conv1D", 5, 3))),
    "SeparableConv2D": Row(images(a("SeparableConv2D", 4, 3))),
    "Conv2DTranspose": Row(images(a("Conv2DTranspose", 4, 3, strides=2, padding="same"))),
    "Conv3D": Row(images(a("Reshape", (4, 4, 4, 3)), a("Conv3D", 3, 2)), floats=("CONV_3D × 1",)),
    "UpSampling2D nearest": Row(images(a("UpSampling2D"), conv)),
    "UpSampling2D bilinear": Row(images(a("UpSampling2D", interpolation="bilinear"), conv)),
    "Concatenate of different scales": Row(images(different_scales)),
    "shared layer, nested model": Row(images(shared_and_nested)),
    # activations
    "activations as strings": Row(
        images(activations(*(a("Dense", 3, name) for name in ("elu", "selu", "celu", "gelu"))))
    ),
    "more of them": Row(
        images(activations(*(a("Dense", 3, name) for name in ("mish", "softplus", "hard_silu"))))
    ),
    "activations as layers": Row(
        images(
            activations(
                a("ReLU", 6.0),
                a("LeakyReLU"),
                a("PReLU"),
                a("ELU", 0.5),
                a("Activation", "selu"),
                a("Softmax"),
            )
        )
    ),
    "activations as keras.ops": Row(
        images(activations(ops.elu, ops.gelu, ops.hard_silu, ops.log_sigmoid, ops.softplus))
    ),
    "operators without kernel": Row(
        sequences(a("Dense", 5), lambda x: ops.sin(x) + ops.cumsum(x, 1)),
        floats=("CUMSUM × 1", "SIN × 1"),
    ),
    "ops.erf": Row(sequences(a("Dense", 5), ops.erf), refused="no TFLite kernel for Erf"),
    # attention and words
    "MultiHeadAttention": Row(sequences(attention)),
    "transformer block": Row(sequences(transformer_block), 0.08),
    "Embedding": Row(words(embedding, a("GlobalAveragePooling1D"))),
    "Embedding with mask, pooled": Row(
        words(masked, a("GlobalAveragePooling1D")), floats=("CAST × 1",)
    ),
    # recurrent
    "LSTM": Row(sequences(a("LSTM", 5))),
    "LSTM stacked": Row(sequences(a("LSTM", 5, return_sequences=True), a("LSTM", 5))),
    "LSTM with mask": Row(words(masked, a("LSTM", 5)), 0.08),
    "GRU": Row(sequences(a("GRU", 5)), 0.06),
    "SimpleRNN": Row(sequences(a("SimpleRNN", 5))),
    "Bidirectional(LSTM)": Row(sequences(both_ways("LSTM", return_sequences=True))),
    "Bidirectional(GRU) with mask": Row(words(masked, both_ways("GRU")), 0.1),
    "ConvLSTM2D": Row(images(a("Reshape", (3, 8, 8, 1)), a("ConvLSTM2D", 2, 3))),
    "TimeDistributed(Dense)": Row(
        sequences(a("LSTM", 5, return_sequences=True), each_step("Dense", 3))
    ),
    "TimeDistributed(Conv2D)": Row(images(a("Reshape", (3, 8, 8, 1)), each_step("Conv2D", 2, 3))),
}
