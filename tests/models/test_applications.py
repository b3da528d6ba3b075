"""Networks of keras.applications: their preprocessing, their names, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from pipeline.config.families import FAMILIES, PREFIX
from pipeline.config.model import ModelConfig
from pipeline.errors import ConfigError
from pipeline.models.applications import (
    HEAD_LAYERS,
    check_pixels,
    check_pixels_shape,
    name_stably,
    preprocess,
)
from pipeline.models.build import build_model
from pipeline.models.digest import model_digest
from tests.models.conftest import classes


def config(name: str, **options: Any) -> ModelConfig:
    values = {"architecture": PREFIX + name, **options}
    return TypeAdapter(ModelConfig).validate_python(values)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("module", FAMILIES)
def test_the_front_equals_preprocess_input_of_the_family(module: str, channels: int) -> None:
    import keras

    inputs = keras.Input((6, 5, channels))
    x = np.random.default_rng(0).uniform(0, 255, (3, 6, 5, channels)).astype(np.float32)
    outputs = preprocess(inputs, config(FAMILIES[module].names[0]))
    expected = getattr(keras.applications, module).preprocess_input(np.repeat(x, 3 // channels, -1))
    if outputs is inputs:  # three channels, and all of it inside the network
        np.testing.assert_array_equal(expected, x)
        return
    found = keras.Model(inputs, outputs)(x).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_resizing_is_part_of_the_front() -> None:
    import keras

    inputs = keras.Input((4, 4, 1))
    outputs = preprocess(inputs, config("MobileNetV2", resize=(32, 40)))
    assert tuple(outputs.shape) == (None, 32, 40, 3)


@pytest.fixture(scope="module")
def mobilenet() -> Any:
    import keras

    keras.utils.set_random_seed(0)
    options = {"alpha": 0.35, "resize": (32, 32), "dropout": 0.1}
    return build_model(config("MobileNetV2", **options), (8, 8, 1), classes(4))


def test_base_and_head_are_one_flat_graph(mobilenet: Any) -> None:
    import keras

    names = [layer.name for layer in mobilenet.layers]
    assert {"Conv1", "block_13_expand", "out_relu", "family_preprocessing"} <= set(names)
    assert names[-2:] == ["head_dropout", "logits"]
    assert set(names[-2:]) == HEAD_LAYERS
    assert not any(isinstance(layer, keras.Model) for layer in mobilenet.layers)
    assert mobilenet.output_shape == (None, 4)
    assert mobilenet.get_layer("bn_Conv1").momentum == 0.9


def test_equal_seeds_give_equal_digests_whatever_was_built_before() -> None:
    import keras

    digests = set()
    for _ in range(2):  # Keras goes on counting: conv2d, conv2d_1, …
        keras.utils.set_random_seed(3)
        inputs = keras.Input((8, 8, 1), name="input")
        x = keras.layers.Conv2D(2, 3)(keras.ops.image.resize(inputs, (9, 9)))
        model = keras.Model(inputs, keras.layers.Conv2D(2, 3)(x), name="m")
        name_stably(model)
        assert [layer.name for layer in model.layers] == ["input", "conv2d", "conv2d_1"]
        digests.add(model_digest(model))
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("MobileNetV2", (8, 8, 1), r"at least 32×32 pixels, received 8×8; .* model.resize=\[32,32"),
        ("InceptionV3", (74, 80, 3), "at least 75×75 pixels, received 74×80"),
        ("VGG16", (32, 32, 4), "1 or 3 channels"),
        ("VGG16", (30,), "needs images"),
    ],
)
def test_samples_that_do_not_fit_are_refused(name: str, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check_pixels_shape(config(name), shape)


def test_scaled_pixels_are_refused_and_a_map_inside_the_model_is_heeded() -> None:
    from pipeline.data.preprocessing import Affine

    x = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 2, 2, 1)
    with pytest.raises(ConfigError, match=r"samples lie in \[0, 1\]"):
        check_pixels(x, None)
    check_pixels(x, Affine(255.0, 0.0))
    check_pixels(x * 255, None)


def test_imagenet_weights_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def fail(**arguments: Any) -> None:
        assert arguments["weights"] == "imagenet"
        raise Exception("URL fetch failure on https://…: None -- [Errno -3] no name resolution")

    monkeypatch.setattr(keras.applications, "VGG16", fail)
    words = "model.weights: Keras's imagenet weights for applications/VGG16 cannot be had .URL"
    with pytest.raises(ConfigError, match=words):
        build_model(config("VGG16", weights="imagenet"), (32, 32, 3), classes(2))


def test_efficientnet_with_imagenets_statistics_scales_as_keras_does(tmp_path: Any) -> None:
    """Keras adds a layer where weights="imagenet"; with a file the same lies in the variance."""
    import math

    import keras

    from pipeline.models.applications import DEVIATION_RGB, finish_normalization

    deviation = np.float32(DEVIATION_RGB)
    inputs = keras.Input((2, 2, 3))
    layer = keras.layers.Normalization()
    model = keras.Model(inputs, layer(inputs))
    mean = np.float32([0.485, 0.456, 0.406])
    for weight, value in zip(layer.weights, (mean, deviation**2, 0), strict=True):
        weight.assign(value)
    x = np.random.default_rng(0).uniform(0, 1, (2, 2, 2, 3)).astype(np.float32)
    expected = (x - mean) / deviation * [1 / math.sqrt(d) for d in DEVIATION_RGB]
    finish_normalization(model, config("EfficientNetB0"))
    np.testing.assert_allclose(model(x).numpy(), expected, rtol=1e-5, atol=1e-6)
