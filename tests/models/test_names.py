"""Keras's automatic names."""

from __future__ import annotations

from pipeline.models.names import is_automatic, numbered, snake_case


def test_snake_case_is_that_of_keras() -> None:
    import keras

    layers = keras.layers
    for layer in (
        layers.Conv2D(1, 1), layers.DepthwiseConv2D(1), layers.BatchNormalization(),
        layers.ReLU(), layers.GlobalAveragePooling2D(), layers.LSTM(1), layers.ZeroPadding2D(),
    ):  # fmt: skip
        assert is_automatic(layer.name, type(layer).__name__), layer.name


def test_numbers_count_by_stem() -> None:
    seen: dict[str, int] = {}
    names = [numbered(stem, seen) for stem in ("conv2d", "dense", "conv2d", "conv2d")]
    assert names == ["conv2d", "dense", "conv2d_1", "conv2d_2"]
    assert snake_case("LayerScale") == "layer_scale"


def test_given_names_are_not_automatic() -> None:
    assert is_automatic("conv2d_12", "Conv2D")
    assert not is_automatic("conv2d_head", "Conv2D")
    assert not is_automatic("block1_conv1", "Conv2D")
