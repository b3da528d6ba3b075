"""Toy models in Keras 3 or tf_keras (`k`), and files of them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np


def cnn(k: Any) -> Any:
    """A sequential model: convolutions, normalization, pooling, dropout."""
    layers = k.layers
    return k.Sequential(
        [
            k.Input((8, 8, 2), name="image"),
            layers.Conv2D(4, 3, padding="same", use_bias=False, kernel_regularizer="l2", name="c1"),
            layers.BatchNormalization(name="n1"),
            layers.LeakyReLU(name="leaky"),
            layers.DepthwiseConv2D(3, activation="relu", name="depthwise"),
            layers.SeparableConv2D(5, 3, name="separable"),
            layers.ReLU(6.0, name="relu6"),
            layers.Conv2DTranspose(3, 2, strides=2, name="transposed"),
            layers.MaxPooling2D(name="pool"),
            layers.SpatialDropout2D(0.1, name="drop"),
            layers.Flatten(name="flat"),
            layers.Dense(3, activation="softmax", name="probabilities"),
        ],
        name="cnn",
    )


def branches(k: Any) -> Any:
    """Two inputs, a shared layer, a model in the model, a residual, two outputs."""
    layers = k.layers
    left, right = k.Input((6,), name="left"), k.Input((6,), name="right")
    shared = layers.Dense(5, activation="tanh", name="shared")
    inner_in = k.Input((5,), name="inner_in")
    x = layers.Dense(5, name="inner_dense")(inner_in)
    x = layers.BatchNormalization(name="inner_norm")(x)
    x = layers.Dense(5, name="inner_dense_2")(x)
    inner = k.Model(inner_in, x, name="inner")
    block = k.Sequential([layers.Dense(5, name="b1"), layers.Dense(5, name="b2")], name="block")
    x = layers.Add(name="add")([inner(shared(left)), block(shared(right)), shared(left)])
    x = layers.Concatenate(name="join")([x, inner(x), block(x)])
    x = layers.LayerNormalization(name="norm")(x)
    outputs = [layers.Dense(3, name="logits")(x), layers.Dense(1, name="score")(x)]
    return k.Model([left, right], outputs, name="branches")


def sequences(k: Any) -> Any:
    """Embedding, attention, recurrent layers, wrappers."""
    layers = k.layers
    tokens = k.Input((7,), dtype="int32", name="tokens")
    x = layers.Embedding(20, 6, mask_zero=False, name="embedding")(tokens)
    x = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    # What recurrent layers forget shows in the means of what they were given.
    means = [layers.GlobalAveragePooling1D(name="mean_1")(x)]
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True), name="both_ways")(x)
    means.append(layers.GlobalAveragePooling1D(name="mean_2")(x))
    x = layers.TimeDistributed(layers.Dense(5, activation="relu"), name="each_step")(x)
    x = layers.Conv1D(4, 3, padding="causal", name="conv")(x)
    x = layers.GRU(4, return_sequences=True, name="gru")(x)
    x = layers.Concatenate(name="join")([layers.SimpleRNN(3, name="simple")(x), *means])
    return k.Model(tokens, layers.Dense(2, name="logits")(x), name="sequences")


def frozen(k: Any) -> Any:
    """A frozen layer in a frozen model beside trainable ones."""
    layers = k.layers
    inputs = k.Input((6,), name="input")
    inner_in = k.Input((4,), name="inner_in")
    x = layers.Dense(4, name="inner_dense", trainable=False)(inner_in)
    x = layers.BatchNormalization(name="inner_norm")(x)
    inner = k.Model(inner_in, layers.Dense(4, name="inner_last")(x), name="inner")
    x = layers.Dense(4, name="first", trainable=False)(inputs)
    x = inner(layers.BatchNormalization(name="norm")(x))
    return k.Model(inputs, layers.Dense(2, name="logits")(x), name="frozen")


def operators(k: Any) -> Any:
    """Operators and functions in the graph: keras.ops, or TensorFlow's in tf_keras."""
    layers = k.layers
    image = k.Input((6, 6, 2), name="image")
    x = layers.Conv2D(4, 3, padding="same", name="c1")(image)
    y = layers.Conv2D(4, 3, padding="same", name="c2")(x)
    x = _functions_3(x, y) if k.__name__ == "keras" else _functions_2(x, y)
    return k.Model(image, layers.Dense(3, name="logits")(x), name="operators")


def _functions_3(x: Any, y: Any) -> Any:
    from keras import ops

    x = ops.relu(x + y) * 0.5 - ops.sigmoid(y)
    x = ops.concatenate([x[:, ::2, ::2, :], y[:, 1::2, 1::2, :]], axis=-1)
    x = x / (1.0 + ops.mean(ops.square(x), axis=(1, 2), keepdims=True))
    x = ops.reshape(x, (-1, 72))
    return ops.clip(x, -1.0, 2.0)


def _functions_2(x: Any, y: Any) -> Any:
    import tensorflow as tf

    x = tf.nn.relu(x + y) * 0.5 - tf.sigmoid(y)
    x = tf.concat([x[:, ::2, ::2, :], y[:, 1::2, 1::2, :]], axis=-1)
    x = x / (1.0 + tf.reduce_mean(tf.square(x), axis=(1, 2), keepdims=True))
    x = tf.reshape(x, (-1, 72))
    return tf.clip_by_value(x, -1.0, 2.0)


MODELS: dict[str, Callable[[Any], Any]] = {
    "cnn": cnn,
    "branches": branches,
    "sequences": sequences,
    "frozen": frozen,
    "operators": operators,
}


def tf_keras() -> Any:
    from pipeline.bridge.start import import_tf_keras

    return import_tf_keras()


def library(name: str) -> Any:
    if name == "tf_keras":
        return tf_keras()
    import keras

    return keras


def with_signal(model: Any, seed: int = 0) -> Any:
    """Gives every weight another value, so that a weight in the wrong place shows."""
    rng = np.random.default_rng(seed)
    values = []
    for weight in model.weights:
        value = 2 * rng.normal(size=tuple(weight.shape)) / np.sqrt(max((1, *weight.shape[:-1])))
        # Variances, and what divides, stay positive.
        positive = "variance" in weight.name or "gamma" in weight.name
        values.append(np.abs(value) + 0.5 if positive else value)
    model.set_weights(values)
    return model


def inputs_of(model: Any, samples: int = 16) -> Any:
    """Returns random input of a model's shapes; whole numbers for an Embedding."""
    rng = np.random.default_rng(1)
    made = [
        rng.integers(0, 20, (samples, *t.shape[1:])).astype("int32")
        if "int" in str(t.dtype)
        else rng.normal(size=(samples, *t.shape[1:])).astype("float32")
        for t in model.inputs
    ]
    return made if len(made) > 1 else made[0]


def outputs_of(model: Any, data: Any) -> list[np.ndarray]:
    found = model(data, training=False)
    return [np.asarray(o) for o in (found if isinstance(found, list | tuple) else [found])]


def assert_same_outputs(ours: Any, theirs: Any, within: float = 1e-5) -> None:
    """Compares relative to the spread of each output over the samples."""
    data = inputs_of(theirs)
    for found, wanted in zip(outputs_of(ours, data), outputs_of(theirs, data), strict=True):
        spread = wanted.std(axis=0).max()
        assert spread > 0.1, "no signal: the comparison would prove nothing"
        np.testing.assert_allclose(found, wanted, atol=within * spread, rtol=0)


def edit_archive(source: Path, target: Path, edit: Callable[[Any], Any]) -> Path:
    """Copies a `.keras` file with another config."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member == "config.json":
                config = json.loads(content)
                content = json.dumps(edit(config) or config).encode()
            new.writestr(member, content)
    return target


def edit_h5(path: Path, edit: Callable[[Any], Any], version: str | None = None) -> Path:
    """Changes the config of an `.h5` file where it lies."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        file.attrs["model_config"] = json.dumps(edit(config) or config)
        if version is not None:
            file.attrs["keras_version"] = version
    return path
