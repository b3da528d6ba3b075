"""Tensors that get one scale together: their own is not emulated in quantization-aware training.

CONCATENATION, MAXIMUM and their like have one scale for all they read and write. Where an input of
theirs carries an emulated quantizer, the converter gives its scale to the others, however far they
reach (tensorflow 2.21.0): the maximum of ±4 and ±80 was clipped at 4. tfmot sees to it where
Concatenate joins two to six layers that it knows, and nowhere else (0.8.1). Without a quantizer the
converter finds the scale of all by itself.

Averages have the scale of what they are averages of. Where they are joined, the join is not
quantized either: its range would be that of the averages (see tflite/average_ranges.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tf_keras

# tf_keras layers and Keras 3 operations that read several tensors with one scale.
JOINS = frozenset(
    {
        "Append", "Concatenate", "Dstack", "Hstack", "Maximum", "Minimum", "Stack", "Vstack",
        "Where",
    }
)  # fmt: skip
AVERAGES = frozenset({"AveragePooling1D", "AveragePooling2D"})
# What they make has the scale of what they read.
PASSED = AVERAGES | frozenset(
    {
        "BroadcastTo", "Cropping1D", "Cropping2D", "Dropout", "ExpandDims", "Flatten", "Flip",
        "GetItem", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "Max", "MaxPooling1D",
        "MaxPooling2D", "Min", "Moveaxis", "Pad", "Permute", "Repeat", "RepeatVector", "Reshape",
        "Roll", "SpatialDropout1D", "SpatialDropout2D", "Split", "Squeeze", "Swapaxes", "Tile",
        "Transpose", "UpSampling1D", "UpSampling2D", "ZeroPadding1D", "ZeroPadding2D",
    }
)  # fmt: skip


def leave_joined_scales(quantized: tf_keras.Model) -> list[str]:
    """Takes the quantizers away from all tensors that are joined with others.

    Args:
        quantized: the model after quantize_apply; changed in place.

    Returns:
        Names of the layers whose outputs are no longer quantized, in order.
    """
    own = {id(node) for nodes in quantized._nodes_by_depth.values() for node in nodes}
    found: dict[str, None] = {}
    for layer in quantized.layers:
        nodes = layer.inbound_nodes if _kind(layer) in JOINS else []
        joined = _sources([node for node in nodes if id(node) in own])
        if any(_kind(source) in AVERAGES for source in joined):
            joined.append(layer)
        found |= {source.name: None for source in joined if _release(source)}
    return list(found)


def _sources(nodes: list[Any]) -> list[Any]:
    """Returns the layers whose outputs calls read, through those that pass a scale on."""
    found: dict[int, Any] = {}
    ahead = list(nodes)
    while ahead:
        for parent in ahead.pop(0).parent_nodes:
            if id(parent) not in found:
                found[id(parent)] = parent
                if _kind(parent.layer) in PASSED | JOINS:
                    ahead.append(parent)
    return [node.layer for node in found.values()]


def _kind(layer: Any) -> str:
    """Returns the class of a layer, of the layer that is wrapped, or of the operation."""
    inner = getattr(layer, "layer", layer)
    spec = getattr(inner, "spec", None)
    return type(getattr(spec, "operation", inner)).__name__


def _release(layer: Any) -> bool:
    """Takes away what quantizes the outputs of a layer; returns whether something did."""
    if type(layer).__name__ == "QuantizeLayer":
        quantizes = layer.quantizer is not None
        layer.quantizer = None
        return quantizes
    activations = getattr(layer, "_quantize_activations", [])
    after = [activation for activation in activations if activation._should_post_quantize()]
    for activation in after:
        activation._should_post_quantize = lambda: False
    quantizes = bool(after or getattr(layer, "_output_quantizers", None))
    if quantizes:
        layer._output_quantizers = []
    return quantizes
