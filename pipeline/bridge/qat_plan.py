"""Which layers quantization-aware training takes, and why the others are left to the converter.

A convolution, its BatchNormalization and its activation go together: with a quantizer between
them the converter cannot fold them, and MUL and ADD stay behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.bridge.graph import Call, Graph, Ref
from pipeline.bridge.kernels import prunable_kernels

if TYPE_CHECKING:
    import tf_keras

# tf_keras classes that tfmot's default 8-bit registry knows; a test compares them.
QUANTIZED: frozenset[str] = frozenset(
    {
        "Add", "Concatenate", "Conv2D", "Conv2DTranspose", "Cropping1D", "Cropping2D", "Dense",
        "DepthwiseConv2D", "Dropout", "Flatten", "GlobalAveragePooling1D",
        "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "LeakyReLU",
        "MaxPooling2D", "Permute", "ReLU", "Reshape", "SeparableConv2D", "Softmax",
        "SpatialDropout1D", "SpatialDropout2D", "UpSampling2D", "ZeroPadding1D", "ZeroPadding2D",
    }
)  # fmt: skip
# Known to tfmot as well. AVERAGE_POOL_2D has one scale on both sides, and where tfmot's quantizers
# give it two the converter may refuse the model, so for DenseNet (tensorflow 2.21.0, tfmot 0.8.1).
ONE_SCALE = frozenset({"AveragePooling1D", "AveragePooling2D"})
# Dense is not among them although tfmot pairs the two: tfmot trains its kernel with one scale,
# the converter folds the normalization into it and then has the wrong scales. Measured on
# Fashion-MNIST (small_cnn, tensorflow 2.21.0, tfmot 0.8.1): outputs off by 27 % of their spread
# and 10 points of accuracy, against 0.6 % and none with a MUL and an ADD left behind.
FOLDS_NORMALIZATION = frozenset({"Conv2D", "DepthwiseConv2D", "SeparableConv2D"})
# What tfmot can quantize, as a layer or as a layer's own activation.
ACTIVATIONS = frozenset({"linear", "relu", "sigmoid", "softmax", "swish", "tanh", "gelu"})
# tfmot's mark on a convolution whose BatchNormalization follows.
FOLDED = "NoOpActivation"


def plan_quantization(
    crossed: tf_keras.Model, graph: Graph
) -> tuple[list[str], list[dict[str, str]]]:
    """Decides for each layer whether it is trained with quantization.

    Args:
        crossed: the model in tf_keras.
        graph: the graph it was made from.

    Returns:
        Names of the layers to annotate; layer and reason of those left to the converter.
    """
    producers = {ref: call for call in graph.calls for ref in call.outputs}
    consumers = graph.consumers()
    outputs = set(graph.output_refs())
    before_einsum = _kernels_before_einsum(crossed, graph, producers)
    counts: dict[str, int] = {}
    for call in graph.calls:
        counts[call.name] = counts.get(call.name, 0) + 1
    chosen: list[str] = []
    left: list[dict[str, str]] = []
    for name in graph.layers():
        call = next(call for call in graph.calls if call.name == name)
        layer = crossed.get_layer(name)
        reason = reason_to_leave(layer, counts[name]) or before_einsum.get(name)
        if reason is None and _has_mask(layer):
            reason = "it is given a mask, which tfmot's wrapper would drop"
        if type(layer).__name__ == "BatchNormalization" and reason is None:
            reason = _normalization_reason(call, crossed, producers, consumers, outputs, chosen)
        if reason is None:
            chosen.append(name)
        else:
            left.append({"layer": name, "reason": reason})
    return chosen, left


def reason_to_leave(layer: Any, calls: int = 1) -> str | None:
    """Says why tfmot cannot quantize a tf_keras layer by itself, None if it can.

    Args:
        layer: a tf_keras layer.
        calls: how often the graph calls it.
    """
    class_name = type(layer).__name__
    if calls > 1:
        return f"shared: called {calls} times, and tfmot quantizes single calls"
    if class_name == "BatchNormalization":
        return None
    if class_name == "Activation":
        name = _activation_name(layer)
        return None if name in ACTIVATIONS else f"tfmot cannot quantize activation {name}"
    if class_name == "BridgeOperation":
        return f"operation {type(layer.spec.operation).__name__}, which tfmot does not know"
    if class_name == "BridgeLayer":
        return f"runs as itself: {layer.spec.reason}"
    if class_name in ONE_SCALE:
        return "an average has one scale on both sides, tfmot would give it two"
    if class_name not in QUANTIZED:
        return f"tfmot cannot quantize the class {class_name}"
    if class_name == "UpSampling2D" and layer.interpolation != "nearest":
        return f"interpolation {layer.interpolation} is inexact in tfmot's quantization"
    if getattr(layer, "data_format", "channels_last") == "channels_first":
        return "data_format channels_first"
    own = _activation_name(layer)
    if own is not None and own not in ACTIVATIONS | {FOLDED}:
        return f"tfmot cannot quantize its activation {own}"
    return None


def _kernels_before_einsum(
    crossed: tf_keras.Model, graph: Graph, producers: dict[Ref, Call]
) -> dict[str, str]:
    """Finds the convolutions and dense layers whose outputs an einsum reads, and what is between.

    The converter makes FULLY_CONNECTED of an einsum with a kernel, and fails where the input is
    quantized and the kernel is not ("INT8 != FLOAT32", tensorflow 2.21.0).
    """
    found: dict[str, str] = {}
    for reader in graph.calls:
        if not _has_einsum(crossed.get_layer(reader.name)):
            continue
        calls = [producers[ref] for ref in reader.inputs if ref in producers]
        while calls:
            call = calls.pop()
            layer = crossed.get_layer(call.name)
            if reason_to_leave(layer) is not None or call.name in found:
                continue
            found[call.name] = f"'{reader.name}' multiplies its output by a kernel with einsum"
            if not prunable_kernels(layer) and len(call.inputs) == 1:
                calls += [producers[ref] for ref in call.inputs if ref in producers]
    return found


def _has_mask(layer: Any) -> bool:
    import tensorflow as tf

    return any(getattr(t, "_keras_mask", None) is not None for t in tf.nest.flatten(layer.input))


def _has_einsum(layer: Any) -> bool:
    parts = layer.spec.layer if type(layer).__name__ == "BridgeLayer" else layer
    if not hasattr(parts, "_flatten_layers"):
        return False
    return any(type(part).__name__ == "EinsumDense" for part in parts._flatten_layers())


def _activation_name(layer: Any) -> str | None:
    activation = getattr(layer, "activation", None)
    return (
        None if activation is None else getattr(activation, "__name__", type(activation).__name__)
    )


def _normalization_reason(
    call: Call,
    crossed: tf_keras.Model,
    producers: dict[Ref, Call],
    consumers: dict[Ref, list[Call]],
    outputs: set[Ref],
    chosen: list[str],
) -> str | None:
    """BatchNormalization is quantized only as a part of the layer that it folds into."""
    source = call.inputs[0]
    before = producers.get(source)
    if before is None:
        return "follows the input, so there is no convolution to fold it into"
    layer = crossed.get_layer(before.name)
    if type(layer).__name__ not in FOLDS_NORMALIZATION:
        return f"follows '{before.name}' ({type(layer).__name__}), which it cannot be folded into"
    if _activation_name(layer) != "linear":
        return f"follows the activation of '{before.name}', not its sums"
    if len(consumers[source]) > 1 or source in outputs:
        return f"the output of '{before.name}' is used elsewhere as well"
    if before.name not in chosen:
        return f"follows '{before.name}', which is left to the converter"
    return None
