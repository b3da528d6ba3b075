"""Tensors that get one scale together: their own is not emulated in quantization-aware training.

CONCATENATION, MAXIMUM and their like have one scale for all they read and write. Where an input of
theirs carries an emulated quantizer, the converter gives its scale to the others, however far they
reach (tensorflow 2.21.0): the maximum of ±4 and ±80 was clipped at 4, and the outputs of the file
off by 0.78 of their spread instead of 0.01. tfmot sees to it where Concatenate joins two to six
layers that it knows, and nowhere else (0.8.1). Without a quantizer the converter finds the scale of
all by itself.

AVERAGE_POOL_2D passes its scale on as well. Of what is averaged before it is joined the converter
would take too small a scale then, that of the averages: there the quantizer stays.
"""

from __future__ import annotations

from collections.abc import Iterator
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
# What they make has the scale of what they read.
PASSED = frozenset(
    {
        "BroadcastTo", "Cropping1D", "Cropping2D",
        "Dropout", "ExpandDims", "Flatten", "Flip", "GetItem", "GlobalMaxPooling1D",
        "GlobalMaxPooling2D", "Max", "MaxPooling1D", "MaxPooling2D", "Min", "Moveaxis", "Pad",
        "Permute", "Repeat", "RepeatVector", "Reshape", "Roll", "Split", "SpatialDropout1D",
        "SpatialDropout2D", "Squeeze", "Swapaxes", "Tile", "Transpose", "UpSampling1D",
        "UpSampling2D", "ZeroPadding1D", "ZeroPadding2D",
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
        if _kind(layer) in JOINS:
            for node in layer.inbound_nodes:
                if id(node) in own:
                    found |= {source.name: None for source in _sources(node) if _release(source)}
    return list(found)


def _sources(node: Any) -> Iterator[Any]:
    """Yields the layers whose outputs a call reads, through those that pass a scale on."""
    for parent in node.parent_nodes:
        yield parent.layer
        if _kind(parent.layer) in PASSED | JOINS:
            yield from _sources(parent)


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
