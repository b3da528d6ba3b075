"""tfmot builds each Concatenate anew on the same inputs, in the same order."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.bridge.input_order import inputs_in_order
from pipeline.bridge.start import import_tf_keras, import_tfmot, without_autograph


def joined(order: str) -> Any:
    """A tf_keras model whose Concatenate reads two convolutions and a pooling in an order."""
    keras_2 = import_tf_keras()
    layers = keras_2.layers

    def convolve(x: Any, filters: int, name: str) -> Any:
        # tfmot puts what it folds at the end of the model's config, behind the pooling.
        x = layers.Conv2D(filters, 3, strides=2, padding="same", name=f"{name}_kernel")(x)
        return layers.ReLU(name=name)(layers.BatchNormalization(name=f"{name}_norm")(x))

    inputs = keras_2.Input((4, 4, 2), name="image")
    branches = {
        "a": convolve(inputs, 3, "a"),
        "b": convolve(inputs, 4, "b"),
        "p": layers.MaxPooling2D(name="p")(inputs),
    }
    x = layers.Concatenate(name="join")([branches[letter] for letter in order])
    outputs = layers.Dense(2, name="logits")(layers.Flatten(name="flat")(x))
    return keras_2.Model(inputs, outputs, name="joined")


@without_autograph
def quantize(model: Any) -> Any:
    quantization = import_tfmot().quantization.keras
    return quantization.quantize_apply(quantization.quantize_annotate_model(model))


def order_of(quantized: Any) -> str:
    """The branches that the Concatenate of a quantized model reads."""
    nodes = [node for nodes in quantized._nodes_by_depth.values() for node in nodes]
    found = next(node for node in nodes if node.layer.name.endswith("join"))
    return "".join(
        tensor._keras_history.layer.name.removeprefix("quant_") for tensor in found.keras_inputs
    )


@pytest.mark.parametrize("order", ["abp", "pba", "bap", "pa", "aap", "baba"])
def test_inputs_stay_in_their_order(order: str) -> None:
    with inputs_in_order():
        assert order_of(quantize(joined(order))) == order


def test_tfmot_alone_still_changes_the_order() -> None:
    # tfmot 0.8.1. Fails on the day the fault is gone: then input_order.py can go.
    assert order_of(quantize(joined("abp"))) == "pab"


def test_tfmot_is_as_it_was_afterwards() -> None:
    import_tfmot()
    from tensorflow_model_optimization.python.core.quantization.keras.graph_transformations import (
        model_transformer,
    )

    methods = ("_get_layers", "_match_layer_with_inputs")
    before = [getattr(model_transformer.ModelTransformer, name) for name in methods]
    with inputs_in_order():
        pass
    assert before == [getattr(model_transformer.ModelTransformer, name) for name in methods]
