"""What each kind of layer does to channels, and what is left alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.narrowing.channel_graph import find_channels


def nothing(name: str) -> bool:
    return False


def _model(build: Callable[[Any, Any], Any], shape: tuple[int | None, ...] = (4, 4, 3)) -> Any:
    import keras

    inputs = keras.Input(shape, name="image")
    x = build(keras, keras.layers.Dense(6, name="first")(inputs))
    return keras.Model(inputs, keras.layers.Dense(2, name="logits")(x))


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda k, x: k.layers.LayerNormalization(name="ln")(x), "ln (LayerNormalization) may mix"),
        (lambda k, x: k.layers.Conv2D(6, 1, groups=2, name="g")(x), "g convolves in groups"),
        (lambda k, x: k.layers.Activation("softmax", name="s")(x), "s mixes channels"),
        (lambda k, x: k.ops.mean(x, axis=-1, keepdims=True), "mean (Mean) may mix channels"),
        (lambda k, x: k.layers.BatchNormalization(axis=1, name="n")(x), "n normalizes another"),
        (lambda k, x: k.layers.Permute((3, 1, 2), name="p")(x), "p moves the channels"),
        (lambda k, x: k.layers.Reshape((4, 8, 3), name="r")(x), "r spreads channels over"),
        (lambda k, x: k.layers.Rescaling([1.0] * 6, name="c")(x), "c has a scale for each"),
        (lambda k, x: k.layers.MaxPool2D(data_format="channels_first", name="m")(x), "m has its"),
        (lambda k, x: k.layers.Dropout(0.1, (None, 1, 1, 6), name="d")(x), "d drops by a shape"),
        (
            lambda k, x: k.layers.Multiply(name="m")([x, k.layers.Dense(1, name="one")(x)]),
            None,
        ),
        (lambda k, x: x * k.ops.convert_to_tensor([0.5] * 6), "multiply reads a constant array"),
        (
            lambda k, x: k.Sequential([k.Input((4, 4, 6)), k.layers.ReLU(name="in")], name="s")(x),
            "s/in is inside a nested model",
        ),
    ],
)  # fmt: skip
def test_what_may_mix_channels_is_left_alone(build: Any, reason: str | None) -> None:
    found = find_channels(_model(build), nothing)
    if reason is None:  # one channel that meets all others stays; the others may go
        assert found.reason("one") == "m spreads it over all channels"
        assert len(found.removable("first")) == 6
    else:
        assert len(found.removable("first")) == 0
        # Keras numbers an operation's name over the life of the process: mean_3.
        assert re.sub(r"_\d+", "", found.reason("first"), count=1).startswith(reason)


def test_an_activation_inside_a_layer_may_mix_too() -> None:
    found = find_channels(
        _model(lambda k, x: k.layers.Dense(5, activation="softmax", name="soft")(x)), nothing
    )
    assert found.reason("soft") == "the activation of soft mixes channels"
    assert len(found.removable("first")) == 6


def test_sizes_that_are_not_known_are_left_alone() -> None:
    found = find_channels(
        _model(lambda k, x: k.layers.Reshape((-1, 6), name="r")(x), (None, 4, 3)), nothing
    )
    assert found.reason("first") == "r reshapes a size that is not known"


def test_a_reshape_that_has_the_same_channels_at_every_place_is_followed() -> None:
    found = find_channels(_model(lambda k, x: k.layers.Reshape((4, 2, 12), name="r")(x)), nothing)
    key, units = found.counts["r"]
    assert (key, units.tolist()) == ("target_shape", 2 * found.producers["first"].tolist())
