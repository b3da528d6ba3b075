"""Which variables of a tf_keras layer are kernels that magnitude pruning may thin out."""

from __future__ import annotations

from typing import Any

from pipeline.bridge.bridge_layer import is_bridge_layer, named_weights
from pipeline.bridge.layers_table import LAYERS

# Class → names of its kernels, in tf_keras and in Keras 3 alike. What tfmot 0.8.1's registry has
# and, because its algorithm looks at single weights only, the same kernels in other classes.
KERNELS: dict[str, tuple[str, ...]] = {
    "Conv1D": ("kernel",),
    "Conv2D": ("kernel",),
    "Conv3D": ("kernel",),
    "Conv1DTranspose": ("kernel",),
    "Conv2DTranspose": ("kernel",),
    "Conv3DTranspose": ("kernel",),
    "SeparableConv1D": ("pointwise_kernel",),
    "SeparableConv2D": ("pointwise_kernel",),
    "Dense": ("kernel",),
    "EinsumDense": ("kernel",),
    "Embedding": ("embeddings",),
    "SimpleRNN": ("kernel", "recurrent_kernel"),
    "LSTM": ("kernel", "recurrent_kernel"),
    "GRU": ("kernel", "recurrent_kernel"),
}
# Layers with weights that have none, or keep theirs, and why.
WITHOUT_KERNEL = ("BatchNormalization", "LayerNormalization", "GroupNormalization", "PReLU")
LEFT_DENSE: dict[str, str] = {
    **dict.fromkeys(WITHOUT_KERNEL, "scales, offsets or slopes, no kernel"),
    "DepthwiseConv1D": "depthwise kernels are not pruned: each has few weights, all needed",
    "DepthwiseConv2D": "depthwise kernels are not pruned: each has few weights, all needed",
}


def prunable_kernels(layer: Any) -> dict[str, Any]:
    """Finds the kernels of a built tf_keras layer, those of layers inside of it included.

    Args:
        layer: a tf_keras layer; of one that runs as itself, the kernels of Keras's own layers
            inside are found.

    Returns:
        The variables that are trained, by their names in the layer: "kernel", "query.kernel".
    """
    found = _own_kernels(layer)
    if is_bridge_layer(layer):
        kernels = {id(weight) for weight in kernels_inside(layer.spec.layer)}
        named = named_weights(layer.spec.layer).items()
        found = {name: layer.own[name] for name, weight in named if id(weight) in kernels}
    trained = {id(weight) for weight in layer.trainable_weights}
    return {name: variable for name, variable in found.items() if id(variable) in trained}


def reason_without_kernels(layer: Any) -> str:
    """Says why a tf_keras layer without prunable kernels is left dense."""
    if not layer.trainable:
        return "not trainable"
    if is_bridge_layer(layer):
        return f"runs as itself ({layer.spec.reason}), with no layer of Keras inside to prune"
    class_name = type(layer).__name__
    return LEFT_DENSE.get(class_name, f"the class {class_name} has no kernel that is pruned")


def _own_kernels(layer: Any) -> dict[str, Any]:
    class_name = type(layer).__name__
    parts = LAYERS[class_name].parts if class_name in LAYERS else ()
    if parts:
        return {
            f"{part}.{name}": variable
            for part in parts
            for name, variable in _own_kernels(getattr(layer, part)).items()
        }
    owner = getattr(layer, "cell", layer)
    return {name: getattr(owner, name) for name in KERNELS.get(class_name, ())}


def kernels_inside(layer: Any) -> list[Any]:
    """Returns the variables of a Keras 3 layer that are kernels of Keras's own layers in it."""
    return [
        weight
        for part in (layer._flatten_layers() if hasattr(layer, "_flatten_layers") else ())
        if type(part).__module__.startswith("keras.src.layers.")
        for weight in part.weights
        if weight.name in KERNELS.get(type(part).__name__, ())
    ]
