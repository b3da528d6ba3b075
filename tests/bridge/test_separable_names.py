"""A SeparableConv2D beside layers that have the names tfmot would give to its halves."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.bridge import qat
from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.graph import walk
from pipeline.bridge.qat_plan import plan_quantization
from pipeline.bridge.qat_proof import prove_quantized
from pipeline.bridge.separable_names import separable_parts_named
from pipeline.bridge.start import import_tf_keras, import_tfmot, restart_names


def network() -> Any:
    """As in Xception: the convolution that goes around has the name that Keras counted."""
    from keras import Input, Model, layers

    image = Input((6, 6, 3), name="image")
    x = layers.SeparableConv2D(4, 3, padding="same", use_bias=False, name="sep")(image)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(name="bn")(x))
    around = layers.Conv2D(4, 1, use_bias=False, name="conv2d")(x)
    around = layers.BatchNormalization(name="around_bn")(around)
    x = layers.SeparableConv2D(4, 3, padding="same", name="sep_1")(x)
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise_conv2d")(x)
    x = layers.Add(name="add")([x, around])
    return Model(image, layers.Dense(2, name="logits")(layers.Flatten(name="flat")(x)))


def transform() -> Any:
    import_tfmot()
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_transforms,
    )

    return default_8bit_transforms.SeparableConvQuantize


def split(**wrapping: Any) -> Any:
    """What tfmot puts in the place of a layer 'sep', the second convolution first."""
    keras_2, made = import_tf_keras(), transform()
    from tensorflow_model_optimization.python.core.quantization.keras.graph_transformations import (
        transforms,
    )

    layer = keras_2.layers.SeparableConv2D(4, 3, name="sep")
    layer.build((None, 6, 6, 3))
    config = {"class_name": "SeparableConv2D", "config": layer.get_config(), "name": "sep"}
    weights = {f"weight_{number}": value for number, value in enumerate(layer.get_weights())}
    return made().replacement(transforms.LayerNode(config, weights=weights, **wrapping))


def test_a_model_with_those_names_is_quantized() -> None:
    model = network()
    restart_names()
    plain = to_tf_keras(model, 0)
    chosen, left = plan_quantization(plain, walk(model))
    assert not left
    quantized = qat._quantize(plain, frozenset(chosen))
    x = np.random.default_rng(0).normal(size=(8, 6, 6, 3)).astype(np.float32)
    assert prove_quantized(plain, quantized, x) < 1e-5
    names = {layer.name for layer in quantized.layers}
    halves = {"sep/depthwise", "sep/pointwise", "sep_1/depthwise", "sep_1/pointwise"}
    assert {f"quant_{name}" for name in {*halves, "conv2d", "depthwise_conv2d"}} <= names


def test_tfmot_alone_still_takes_a_name_that_is_taken() -> None:
    # tfmot 0.8.1. Fails on the day the fault is gone: then separable_names.py can go.
    restart_names()
    import_tf_keras().layers.Conv2D(4, 1, name="conv2d")
    made = split()
    assert made.layer["config"]["name"] == made.layer["name"] == "conv2d"


def test_the_halves_are_named_after_their_layer() -> None:
    with separable_parts_named():
        made = split()
    assert made.layer["config"]["name"] == made.layer["name"] == "sep/pointwise"
    (first,) = made.input_layers
    assert first.layer["config"]["name"] == first.layer["name"] == "sep/depthwise"


def test_a_layer_with_a_quantization_of_its_own_stays_whole() -> None:
    with separable_parts_named():
        made = split(metadata={"quantize_config": object()})
    assert made.layer["config"]["name"] == "sep"


def test_tfmot_is_as_it_was_afterwards() -> None:
    before = transform().replacement
    with separable_parts_named():
        pass
    assert transform().replacement is before
