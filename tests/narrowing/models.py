"""Toy models of every topology that channels run through, with signal in every channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

IMAGE = (8, 8, 2)


def chain() -> Any:
    import keras

    layers = keras.layers
    inputs = keras.Input(IMAGE, name="image")
    x = layers.Conv2D(6, 3, padding="same", use_bias=False, name="c1")(inputs)
    x = layers.BatchNormalization(name="n1")(x)
    x = layers.Activation("relu", name="a1")(x)
    x = layers.Dropout(0.2, name="drop")(layers.MaxPooling2D(name="p1")(x))
    x = layers.Conv2D(8, 3, activation="relu", name="c2")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="chain")


def residual() -> Any:
    import keras

    layers = keras.layers
    inputs = keras.Input(IMAGE, name="image")
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="stem")(inputs)
    y = layers.Conv2D(5, 3, padding="same", activation="relu", name="inner")(x)
    y = layers.BatchNormalization(name="norm")(layers.Conv2D(6, 3, padding="same", name="outer")(y))
    x = layers.ReLU(name="relu")(layers.Add(name="sum")([x, y]))
    y = layers.Conv2D(8, 1, name="shortcut")(x)
    x = layers.Conv2D(8, 3, padding="same", name="main")(x) + y
    x = layers.GlobalMaxPooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="residual")


def depthwise() -> Any:
    import keras

    layers = keras.layers
    inputs = keras.Input(IMAGE, name="image")
    x = layers.Conv2D(6, 3, padding="same", name="stem")(inputs)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", name="depth")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.PReLU(shared_axes=[1, 2], name="prelu")(x)
    x = layers.Conv2D(6, 1, activation="relu", name="point")(x)
    x = layers.SeparableConv2D(7, 3, depth_multiplier=2, activation="relu", name="separable")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="depthwise")


def concatenation() -> Any:
    """Dense blocks, the second added to a tensor of the same width."""
    import keras

    layers = keras.layers
    inputs = keras.Input(IMAGE, name="image")
    x = layers.Conv2D(5, 3, padding="same", activation="relu", name="left")(inputs)
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="right")(inputs)
    x = layers.Concatenate(name="join")([x, y])
    y = layers.Conv2D(9, 3, padding="same", activation="relu", name="beside")(x)
    x = layers.Concatenate(name="again")([layers.Add(name="add")([x, y]), inputs])
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="concatenation")


def flattened() -> Any:
    import keras

    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input(IMAGE, name="image"),
            layers.Conv2D(5, 3, strides=2, activation="relu", name="c1"),
            layers.Reshape((9, 5), name="rows"),
            layers.Flatten(name="flat"),
            layers.Dense(10, activation="relu", name="hidden"),
            layers.Dense(3, name="logits"),
        ],
        name="flattened",
    )


def gated() -> Any:
    """A squeeze-and-excitation block; the gate is made of two Dense layers."""
    import keras

    layers = keras.layers
    inputs = keras.Input(IMAGE, name="image")
    x = layers.Conv2D(6, 3, padding="same", activation="silu", name="c1")(inputs)
    y = layers.GlobalAveragePooling2D(name="squeeze")(x)
    y = layers.Reshape((1, 1, 6), name="pixel")(y)
    y = layers.Conv2D(5, 1, activation="relu", name="reduce")(y)
    y = layers.Conv2D(6, 1, activation="sigmoid", name="excite")(y)
    x = layers.Multiply(name="gate")([x, y])
    x = layers.Conv2DTranspose(5, 2, strides=2, name="up")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="gated")


def text() -> Any:
    import keras

    layers = keras.layers
    inputs = keras.Input((12,), dtype="int32", name="tokens")
    x = layers.Embedding(20, 8, name="embedding")(inputs)
    x = layers.Conv1D(6, 3, activation="relu", name="c1")(x)
    x = layers.SeparableConv1D(6, 3, activation="relu", name="s1")(x)
    x = layers.GlobalMaxPooling1D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="text")


def shared() -> Any:
    """One Dense on two branches, whose inputs therefore lose the same channels."""
    import keras

    layers = keras.layers
    inputs = keras.Input((6,), name="features")
    both = layers.Dense(5, activation="tanh", name="both")
    left = both(layers.Dense(7, activation="relu", name="left")(inputs))
    right = both(layers.Dense(7, activation="relu", name="right")(inputs))
    x = layers.Concatenate(name="join")([left, right])
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="shared")


TOPOLOGIES: dict[str, Callable[[], Any]] = {
    "chain": chain,
    "residual": residual,
    "depthwise": depthwise,
    "concatenation": concatenation,
    "flattened": flattened,
    "gated": gated,
    "text": text,
    "shared": shared,
}


def make(name: str) -> Any:
    """A model whose weights are all drawn at random, statistics of BatchNormalization too."""
    model = TOPOLOGIES[name]()
    rng = np.random.default_rng(5)
    for weight in model.weights:
        low, high = (0.5, 1.5) if weight.name in ("gamma", "moving_variance") else (-0.6, 0.6)
        weight.assign(rng.uniform(low, high, weight.shape).astype(np.float32))
    return model


def samples_for(model: Any, count: int = 16) -> np.ndarray:
    rng = np.random.default_rng(7)
    shape = (count, *model.input_shape[1:])
    if model.inputs[0].dtype == "int32":
        return rng.integers(0, 20, shape).astype(np.int32)
    return rng.normal(size=shape).astype(np.float32)
