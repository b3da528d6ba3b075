"""Which variables are pruned, and why others are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.kernels import KERNELS, LEFT_DENSE, prunable_kernels, reason_without_kernels
from pipeline.bridge.start import import_tf_keras, import_tfmot
from tests.bridge.own_layers import Block, Subclassed


def test_the_table_is_what_tfmot_prunes_and_more() -> None:
    import_tfmot()
    from tensorflow_model_optimization.python.core.sparsity.keras.prune_registry import (
        PruneRegistry,
    )

    layers = import_tf_keras().layers
    more = {"Conv1DTranspose", "EinsumDense"}
    for class_name, weights in KERNELS.items():
        known = PruneRegistry._LAYERS_WEIGHTS_MAP.get(getattr(layers, class_name))
        if class_name in {"SimpleRNN", "LSTM", "GRU", *more}:
            assert known is None, class_name
        else:
            assert known == list(weights)
    for class_name in LEFT_DENSE:
        assert not PruneRegistry._LAYERS_WEIGHTS_MAP.get(getattr(layers, class_name)), class_name


CASES: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "attention": (
        lambda k: k.MultiHeadAttention(2, 3, name="it"),
        ["query.kernel", "key.kernel", "value.kernel", "attention_output.kernel"],
    ),
    "bidirectional": (
        lambda k: k.Bidirectional(k.GRU(2), name="it"),
        [f"{way}_layer.{kernel}" for way in ("forward", "backward")
         for kernel in ("kernel", "recurrent_kernel")],
    ),
    "time_distributed": (lambda k: k.TimeDistributed(k.Dense(2), name="it"), ["layer.kernel"]),
    "own": (lambda k: Block(5, name="it"), ["first.kernel", "second.kernel"]),
    "subclassed": (lambda k: Subclassed(name="it"), ["dense.kernel", "dense_1.kernel"]),
    "normalization": (lambda k: k.LayerNormalization(name="it"), []),
    "depthwise": (lambda k: k.DepthwiseConv1D(2, name="it"), []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_kernels_are_found_by_name(case: str) -> None:
    import keras

    make, names = CASES[case]
    keras.utils.clear_session()
    inputs, layer = keras.Input((6, 4)), make(keras.layers)
    outputs = layer(inputs, inputs) if case == "attention" else layer(inputs)
    crossed = to_tf_keras(keras.Model(inputs, outputs))
    assert list(prunable_kernels(crossed.get_layer("it"))) == names
    assert (reason_without_kernels(crossed.get_layer("it")) in LEFT_DENSE.values()) == (not names)


def test_what_is_frozen_is_not_pruned() -> None:
    import keras

    inputs, block = keras.Input((6, 4)), Block(5, name="it")
    model = keras.Model(inputs, block(inputs))
    block.first.trainable = False
    assert list(prunable_kernels(to_tf_keras(model).get_layer("it"))) == ["second.kernel"]
    block.trainable = False
    layer = to_tf_keras(model).get_layer("it")
    assert not prunable_kernels(layer)
    assert reason_without_kernels(layer) == "not trainable"


def test_a_layer_without_layers_of_keras_inside_says_so() -> None:
    import keras

    inputs = keras.Input((4,))
    crossed = to_tf_keras(keras.Model(inputs, keras.layers.RMSNormalization(name="it")(inputs)))
    reason = reason_without_kernels(crossed.get_layer("it"))
    assert reason.startswith("runs as itself (no tf_keras layer stands for RMSNormalization)")
    assert reason.endswith("with no layer of Keras inside to prune")
