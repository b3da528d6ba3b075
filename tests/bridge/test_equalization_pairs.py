"""Which layers are a pair, and why others are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.bridge.equalization_pairs import find_pairs
from pipeline.runtime import import_tensorflow

import_tensorflow()


def chain(*layers: Any) -> Any:
    import keras

    return keras.Sequential([keras.Input((8, 8, 3)), *layers])


def names(model: Any) -> list[tuple[str, str]]:
    return [(pair.first.name, pair.second.name) for pair in find_pairs(model).pairs]


def test_a_chain_of_convolutions_to_the_last_dense_layer() -> None:
    import keras

    layers = keras.layers
    model = chain(
        layers.Conv2D(4, 3, use_bias=False, name="a"),
        layers.BatchNormalization(name="a_bn"),
        layers.ReLU(),
        layers.DepthwiseConv2D(3, depth_multiplier=2, name="b"),
        layers.BatchNormalization(name="b_bn"),
        layers.LeakyReLU(),
        layers.ZeroPadding2D(),
        layers.Conv2D(5, 1, activation="relu", name="c"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(6, activation="relu", name="d"),
        layers.Dense(2, name="e"),
    )
    found = find_pairs(model)
    assert names(model) == [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")]
    assert [pair.channels for pair in found.pairs] == [4, 8, 5, 6]
    assert {name: layer.name for name, layer in found.normalizations.items()} == {
        "a": "a_bn",
        "b": "b_bn",
    }
    assert found.skipped == {"e": "is an output of the model"}


def relu6() -> list[Any]:
    import keras

    return [keras.layers.ReLU(6.0, name="six")]


def relu_above_one() -> list[Any]:
    import keras

    return [keras.layers.ReLU(threshold=1.0, name="above")]


def tanh() -> list[Any]:
    import keras

    return [keras.layers.Activation("tanh", name="bend")]


def late_normalization() -> list[Any]:
    import keras

    return [keras.layers.ReLU(), keras.layers.BatchNormalization(name="late")]


def unscaled() -> list[Any]:
    import keras

    return [keras.layers.BatchNormalization(scale=False, name="plain"), keras.layers.ReLU()]


@pytest.mark.parametrize(
    ("between", "reason"),
    [
        (relu6, "six (ReLU up to 6) does not scale through"),
        (relu_above_one, "above (ReLU) does not scale through"),
        (tanh, "bend (tanh) does not scale through"),
        (late_normalization, "late (BatchNormalization) does not scale through"),
        (unscaled, "plain (BatchNormalization) has no scale"),
    ],
)
def test_what_does_not_scale_through(between: Callable[[], list[Any]], reason: str) -> None:
    import keras

    model = chain(
        keras.layers.Conv2D(4, 3, name="a"), *between(), keras.layers.Conv2D(2, 3, name="b")
    )
    assert find_pairs(model).skipped["a"] == reason
    assert names(model) == []


def test_activations_of_the_layer_itself() -> None:
    import keras

    layers = keras.layers
    swish = chain(layers.Conv2D(4, 3, activation="silu", name="a"), layers.Conv2D(2, 3, name="b"))
    assert find_pairs(swish).skipped["a"] == "silu does not scale through"
    bent = chain(
        layers.Conv2D(4, 3, activation="relu", name="a"),
        layers.BatchNormalization(name="n"),
        layers.Conv2D(2, 3, name="b"),
    )
    assert find_pairs(bent).skipped["a"] == "n (BatchNormalization) is behind an activation"


def test_branches_shared_layers_and_groups() -> None:
    import keras

    layers = keras.layers
    image = keras.Input((8, 8, 4))
    shared = layers.Conv2D(4, 3, padding="same", name="shared")
    x = layers.Conv2D(4, 1, name="split")(image)
    y = layers.Add(name="add")([layers.Conv2D(4, 1, name="side")(x), x])
    y = shared(shared(layers.Conv2D(4, 1, name="before")(y)))
    y = layers.Conv2D(4, 1, groups=2, name="grouped")(y)
    outputs = layers.Dense(2, name="logits")(layers.GlobalAveragePooling2D()(y))
    found = find_pairs(keras.Model(image, outputs))
    assert found.pairs == ()
    assert found.skipped == {
        "split": "is read by several layers",
        "side": "add (Add) does not scale through",
        "before": "shared is called several times",
        "shared": "shared is called several times",
        "grouped": "grouped has groups",
        "logits": "is an output of the model",
    }


def test_layers_of_a_nested_model_are_found_by_their_path() -> None:
    import keras

    inner = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, "relu", name="hidden")], name="inner"
    )
    model = keras.Sequential([keras.Input((6,)), inner, keras.layers.Dense(2, name="hidden")])
    assert names(model) == [("inner/hidden", "hidden")]
