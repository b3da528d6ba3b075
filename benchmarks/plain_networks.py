"""The networks of the benchmarks, written with tf_keras: tfmot takes no other Keras.

The same layers, names and options as Slimline's architectures, so that the weights of one fit the
other (`plain_tfmot.set_weights`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tf_keras
from tf_keras import layers

MOMENTUM, CLASSES, INITIALIZER = 0.9, 10, "he_normal"


def _normalize(x: Any, name: str, activation: str | None = "relu") -> Any:
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_normalization")(x)
    return x if activation is None else layers.Activation("relu", name=f"{name}_activation")(x)


def _convolve(
    x: Any, filters: int, size: int, name: str, strides: int = 1, activation: str | None = "relu"
) -> Any:
    x = layers.Conv2D(
        filters, size, strides, "same", use_bias=False, kernel_initializer=INITIALIZER, name=name
    )(x)
    return _normalize(x, name, activation)


def _end(inputs: Any, x: Any, name: str) -> Any:
    x = layers.Dense(CLASSES, kernel_initializer=INITIALIZER, name="logits")(x)
    return tf_keras.Model(inputs, x, name=name)


def ds_cnn(shape: tuple[int, ...], filters: int = 64, blocks: int = 4) -> Any:
    """Depthwise separable CNN (Zhang et al. 2017)."""
    inputs = tf_keras.Input(shape)
    x = _convolve(inputs, filters, 3, "conv_1", strides=2)
    for block in range(1, blocks + 1):
        name = f"block_{block}_depthwise"
        x = layers.DepthwiseConv2D(
            3, padding="same", use_bias=False, depthwise_initializer=INITIALIZER, name=name
        )(x)
        x = _convolve(_normalize(x, name), filters, 1, f"block_{block}_pointwise")
    return _end(inputs, layers.GlobalAveragePooling2D(name="pool")(x), "ds_cnn")


def resnet_8(shape: tuple[int, ...], filters: int = 16) -> Any:
    """Three residual stacks (Banbury et al. 2021)."""
    inputs = tf_keras.Input(shape)
    x = _convolve(inputs, filters, 3, "stack_0_conv")
    for stack, (factor, strides) in enumerate(((1, 1), (2, 2), (4, 2)), start=1):
        wide, name = filters * factor, f"stack_{stack}"
        y = _convolve(x, wide, 3, f"{name}_conv_1", strides=strides)
        y = _convolve(y, wide, 3, f"{name}_conv_2", activation=None)
        if strides > 1:
            x = layers.Conv2D(
                wide, 1, strides, "same", kernel_initializer=INITIALIZER, name=f"{name}_shortcut"
            )(x)
        x = layers.Add(name=f"{name}_add")([x, y])
        x = layers.Activation("relu", name=f"{name}_activation")(x)
    return _end(inputs, layers.GlobalAveragePooling2D(name="pool")(x), "resnet_8")


def small_cnn(
    shape: tuple[int, ...], filters: tuple[int, ...] = (16, 32, 64), units: int = 64,
    dropout: float = 0.2,
) -> Any:  # fmt: skip
    """3×3 convolutions, each followed by pooling, then one hidden Dense; not normalized."""
    inputs = x = tf_keras.Input(shape)
    shared = {"activation": "relu", "kernel_initializer": INITIALIZER}
    for number, width in enumerate(filters, start=1):
        x = layers.Conv2D(width, 3, padding="same", name=f"conv_{number}", **shared)(x)
        x = layers.MaxPooling2D(2, name=f"pool_{number}")(x)
        x = layers.Dropout(dropout, name=f"pool_{number}_dropout")(x)
    x = layers.Dense(units, name="dense_1", **shared)(layers.Flatten(name="flatten")(x))
    return _end(inputs, layers.Dropout(dropout, name="dense_1_dropout")(x), "small_cnn")


def lenet_300_100(shape: tuple[int, ...]) -> Any:
    """Two hidden Dense layers (LeCun et al. 1998)."""
    inputs = tf_keras.Input(shape)
    x = layers.Flatten(name="flatten")(inputs)
    for number, units in enumerate((300, 100), start=1):
        x = layers.Dense(
            units, activation="relu", kernel_initializer=INITIALIZER, name=f"dense_{number}"
        )(x)
    return _end(inputs, x, "lenet_300_100")


def lenet_5(shape: tuple[int, ...]) -> Any:
    """Caffe's LeNet-5, whose convolutions are linear."""
    inputs = x = tf_keras.Input(shape)
    for number, filters in enumerate((20, 50), start=1):
        x = layers.Conv2D(filters, 5, kernel_initializer=INITIALIZER, name=f"conv_{number}")(x)
        x = layers.MaxPooling2D(2, name=f"pool_{number}")(x)
    x = layers.Dense(500, activation="relu", kernel_initializer=INITIALIZER, name="dense_1")(
        layers.Flatten(name="flatten")(x)
    )
    return _end(inputs, x, "lenet_5")


NETWORKS: dict[str, Callable[..., Any]] = {
    "ds_cnn": ds_cnn,
    "resnet_8": resnet_8,
    "small_cnn": small_cnn,
    "lenet_300_100": lenet_300_100,
    "lenet_5": lenet_5,
}
