"""What is trained with quantization, and why the rest is not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.graph import walk
from pipeline.bridge.qat_plan import QUANTIZED, plan_quantization
from pipeline.bridge.start import import_tf_keras, import_tfmot
from tests.bridge.bridge_models import TOPOLOGIES, residual, shared_convolution


def plan(model: Any) -> tuple[list[str], dict[str, str]]:
    chosen, left = plan_quantization(to_tf_keras(model), walk(model))
    return chosen, {entry["layer"]: entry["reason"] for entry in left}


def image_model(body: Callable[[Any, Any], Any]) -> Any:
    import keras

    inputs = keras.Input((8, 8, 2), name="image")
    return keras.Model(inputs, body(keras.layers, inputs))


def test_a_whole_residual_network_is_quantized() -> None:
    chosen, left = plan(residual())
    assert not left
    assert {"stem", "main", "norm", "shortcut", "add", "relu", "pool", "logits"} == set(chosen)


def test_a_shared_layer_is_left() -> None:
    assert "called 2 times" in plan(shared_convolution())[1]["shared"]


def test_operations_and_unknown_classes_are_left() -> None:
    left = plan(TOPOLOGIES["operators"]())[1]
    assert "operation Mean, which tfmot does not know" in left.values()
    assert "tfmot cannot quantize the class Subtract" in left.values()


NORMALIZATIONS: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "input": (lambda k, x: k.BatchNormalization(name="n")(x), "follows the input"),
    "pool": (
        lambda k, x: k.BatchNormalization(name="n")(k.MaxPooling2D(name="p")(x)),
        "follows 'p' \\(MaxPooling2D\\), which it cannot be folded into",
    ),
    "activation": (
        lambda k, x: k.BatchNormalization(name="n")(k.Conv2D(2, 3, activation="relu", name="c")(x)),
        "follows the activation of 'c'",
    ),
    "branch": (
        lambda k, x: [k.BatchNormalization(name="n")(c := k.Conv2D(2, 3, name="c")(x)),
                      k.ReLU()(c)],
        "the output of 'c' is used elsewhere as well",
    ),
    "shared": (
        lambda k, x: k.BatchNormalization(name="n")(
            (c := k.Conv2D(2, 3, padding="same", name="c"))(c(x))
        ),
        "follows 'c', which is left to the converter",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NORMALIZATIONS)
def test_a_normalization_that_cannot_be_folded_is_left(case: str) -> None:
    body, words = NORMALIZATIONS[case]
    left = plan(image_model(body))[1]
    assert re.search(words, left["n"])


ACTIVATIONS: dict[str, tuple[Callable[[Any, Any], Any], bool]] = {
    "layer": (lambda k, x: k.ReLU(6.0, name="a")(x), True),
    "string": (lambda k, x: k.Activation("swish", name="a")(x), True),
    "operation": (lambda k, x: relu(x, name="a"), True),
    "left": (lambda k, x: k.Activation("hard_silu", name="a")(x), False),
    "own": (lambda k, x: k.Activation(lambda t: t * abs(t), name="a")(x), False),
}


def relu(x: Any, name: str) -> Any:
    from keras import ops

    outputs = ops.relu(x)
    outputs._keras_history.operation.name = name
    return outputs


@pytest.mark.parametrize("case", ACTIVATIONS)
@pytest.mark.parametrize("convolution", ["Conv2D", "DepthwiseConv2D", "SeparableConv2D"])
def test_a_convolution_its_normalization_and_its_activation_stay_together(
    case: str, convolution: str
) -> None:
    activation, known = ACTIVATIONS[case]
    sizes = (3,) if convolution == "DepthwiseConv2D" else (4, 3)

    def body(k: Any, x: Any) -> Any:
        x = getattr(k, convolution)(*sizes, use_bias=False, name="c")(x)
        return activation(k, k.BatchNormalization(name="n")(x))

    chosen, left = plan(image_model(body))
    assert chosen == (["c", "n", "a"] if known else ["c", "n"])
    assert set(left) == (set() if known else {"a"})


def test_kernels_before_an_einsum_are_left_with_what_is_between() -> None:
    def body(k: Any, x: Any) -> Any:
        x = k.Conv2D(4, 3, name="first")(x)
        x = k.BatchNormalization(name="n")(k.Conv2D(4, 3, name="second")(x))
        x = k.Reshape((16, 4), name="flat")(k.ReLU(name="a")(x))
        return k.Dense(2, name="head")(k.MultiHeadAttention(2, 3, name="attention")(x, x))

    chosen, left = plan(image_model(body))
    assert chosen == ["first", "head"]
    assert set(left) == {"second", "n", "a", "flat", "attention"}
    assert left["second"] == "'attention' multiplies its output by a kernel with einsum"


def test_layers_with_a_mask_are_left() -> None:
    import keras

    layers = keras.layers
    inputs = keras.Input((6,), dtype="int32")
    x = layers.Dropout(0.1, name="drop")(layers.Embedding(9, 4, mask_zero=True, name="e")(inputs))
    x = layers.LSTM(3, name="lstm")(layers.Dense(4, name="dense")(x))
    chosen, left = plan(keras.Model(inputs, layers.Dense(2, name="head")(x)))
    assert chosen == ["head"]
    assert "given a mask" in left["drop"] and "given a mask" in left["dense"]


def test_a_layer_that_runs_as_itself_is_left_with_the_reason() -> None:
    left = plan(image_model(lambda k, x: k.RandomFlip(name="flip")(x)))[1]
    assert left["flip"] == "runs as itself: no tf_keras layer stands for RandomFlip"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (lambda k, x: k.Conv2D(2, 3, activation="hard_silu", name="x")(x), "its activation"),
        (lambda k, x: k.Activation("selu", name="x")(x), "cannot quantize activation selu"),
        (lambda k, x: k.UpSampling2D(interpolation="bilinear", name="x")(x), "bilinear"),
        (lambda k, x: k.Rescaling(2.0, name="x")(x), "the class Rescaling"),
    ],
)
def test_what_tfmot_cannot_do_is_left_with_the_reason(body: Any, words: str) -> None:
    assert words in plan(image_model(body))[1]["x"]


def test_the_table_is_within_what_tfmot_supports() -> None:
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_registry as registry,
    )

    import_tfmot()
    supported = registry.Default8BitQuantizeRegistry()
    layers = import_tf_keras().layers
    for name in QUANTIZED - {"SeparableConv2D"}:  # split in two by tfmot before it is asked
        assert supported._is_supported_layer(getattr(layers, name)), name
