"""Toy models of many topologies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def chain_cnn() -> Any:
    """Convolutions with BatchNormalization, activations as layers and as strings, dropout."""
    import keras

    layers = keras.layers
    penalty = keras.regularizers.L2(1e-3)
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(4, 3, padding="same", use_bias=False, kernel_regularizer=penalty, name="c1")(
        inputs
    )
    x = layers.BatchNormalization(name="n1")(x)
    x = layers.Activation("relu", name="a1")(x)
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu6", name="d1")(x)
    x = layers.MaxPooling2D(name="p1")(x)
    x = layers.Conv2D(6, 3, activation="relu", name="c2")(x)
    x = layers.Dropout(0.2, name="drop")(x)
    x = layers.Flatten(name="flat")(x)
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="chain")


def residual() -> Any:
    """A residual Add, a 1×1 shortcut, global pooling."""
    import keras

    layers = keras.layers
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(4, 3, padding="same", name="stem")(inputs)
    y = layers.Conv2D(6, 3, padding="same", name="main")(x)
    y = layers.BatchNormalization(name="norm")(y)
    x = layers.Conv2D(6, 1, name="shortcut")(x)
    x = layers.ReLU(name="relu")(layers.Add(name="add")([x, y]))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="residual")


def operators() -> Any:
    """+, *, scalars, slices, keras.ops and a keyword argument, in the graph."""
    import keras
    from keras import ops

    layers = keras.layers
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(4, 3, padding="same", name="c1")(inputs)
    y = layers.Conv2D(4, 3, padding="same", name="c2")(x)
    x = ops.relu(x + y) * 0.5 + ops.sigmoid(y)
    x = ops.concatenate([x[:, ::2, ::2, :], layers.MaxPooling2D(name="pool")(y)], axis=-1)
    x = x - ops.mean(x, axis=(1, 2), keepdims=True)
    x = ops.reshape(x, (-1, 4 * 4 * 8)) / (1.0 + ops.max(ops.abs(y), axis=(1, 2, 3))[:, None])
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="operators")


def several_inputs() -> Any:
    """Two inputs, one shared layer, two outputs in a dictionary."""
    import keras

    layers = keras.layers
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    shared = layers.Dense(5, activation="tanh", name="shared")
    x = layers.Concatenate(name="join")([shared(left), shared(right)])
    x = layers.BatchNormalization(name="norm")(layers.Dense(4, name="mix")(x))
    outputs = {"logits": layers.Dense(3, name="logits")(x), "score": layers.Dense(1, name="s")(x)}
    return keras.Model([left, right], outputs, name="several")


def shared_convolution() -> Any:
    """One convolution, called on the image and on its own output."""
    import keras

    layers = keras.layers
    inputs = keras.Input((8, 8, 1), name="image")
    shared = layers.Conv2D(1, 3, padding="same", activation="relu", name="shared")
    x = layers.Flatten(name="flat")(shared(shared(inputs)))
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="twice")


def nested() -> Any:
    """A Sequential inside a functional model, called twice."""
    import keras

    layers = keras.layers
    block = keras.Sequential(
        [layers.Input((5,)), layers.Dense(5, name="inner"), layers.ReLU(name="relu")], name="block"
    )
    inputs = keras.Input((6,), name="features")
    x = block(block(layers.Dense(5, name="outer")(inputs)))
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="nested")


def deeply_nested() -> Any:
    """A functional model in a Sequential in a model; one layer in both; dense connections."""
    import keras

    layers = keras.layers
    shared = layers.Dense(4, activation="relu", name="shared")
    inside = keras.Input((4,), name="inside")
    x = layers.Concatenate(name="join")([inside, shared(inside)])
    core = keras.Model(inside, layers.Dense(4, name="narrow")(x) + inside, name="core")
    block = keras.Sequential(
        [layers.Input((4,)), core, layers.LayerNormalization(name="norm"), shared], name="block"
    )
    inputs = keras.Input((4,), name="features")
    x = layers.Concatenate(name="all")([inputs, block(inputs), core(shared(inputs))])
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="deep")


def sequential() -> Any:
    """A Sequential with the usual one-dimensional layers."""
    import keras

    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((12, 2), name="signal"),
            layers.Conv1D(4, 3, padding="causal", activation="hard_silu", name="c1"),
            layers.BatchNormalization(name="n1"),
            layers.SeparableConv1D(6, 3, activation="hard_sigmoid", name="s1"),
            layers.LeakyReLU(0.1, name="leaky"),
            layers.AveragePooling1D(2, name="pool"),
            layers.LayerNormalization(name="ln"),
            layers.GlobalAveragePooling1D(name="global"),
            layers.Dense(3, name="logits"),
        ],
        name="signal_model",
    )


TOPOLOGIES: dict[str, Callable[[], Any]] = {
    "chain_cnn": chain_cnn,
    "residual": residual,
    "operators": operators,
    "several_inputs": several_inputs,
    "nested": nested,
    "deeply_nested": deeply_nested,
    "sequential": sequential,
}


def samples_for(model: Any, count: int = 24) -> list[np.ndarray]:
    """Standard normal samples for each input of a model."""
    rng = np.random.default_rng(7)
    return [
        rng.normal(size=(count, *tensor.shape[1:])).astype(np.float32) for tensor in model.inputs
    ]


def linear_model() -> Any:
    """Softmax regression with L2 on images of 8 × 8."""
    import keras

    penalty = keras.regularizers.L2(0.01)
    inputs = keras.Input((8, 8, 1), name="image")
    x = keras.layers.Flatten(name="flat")(inputs)
    outputs = keras.layers.Dense(3, kernel_regularizer=penalty, name="logits")(x)
    return keras.Model(inputs, outputs, name="linear")
