"""Which layers are clustered, by how many values, and why the others are left as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.bridge_layer import is_bridge_layer
from pipeline.bridge.kernels import WITHOUT_KERNEL
from pipeline.bridge.layer_patterns import check_patterns, first_match
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import tf_keras

    from pipeline.config.cluster import ClusterConfig

SECTION = "cluster"
# tf_keras class → the variables that are clustered; tfmot 0.8.1's registry says the same.
CLUSTERED_WEIGHTS: dict[str, tuple[str, ...]] = {
    "Conv1D": ("kernel",),
    "Conv1DTranspose": ("kernel",),
    "Conv2D": ("kernel",),
    "Conv2DTranspose": ("kernel",),
    "Conv3D": ("kernel",),
    "SeparableConv1D": ("pointwise_kernel",),
    "SeparableConv2D": ("pointwise_kernel",),
    "Dense": ("kernel",),
    "Embedding": ("embeddings",),
    "SimpleRNN": ("kernel", "recurrent_kernel"),
    "LSTM": ("kernel", "recurrent_kernel"),
    "GRU": ("kernel", "recurrent_kernel"),
}
# Layers with weights that clustering does not apply to, and why.
LEFT_FREE: dict[str, str] = {
    **dict.fromkeys(WITHOUT_KERNEL, "scales, offsets or slopes, no kernel"),
    "DepthwiseConv1D": "tfmot does not cluster depthwise kernels: too much accuracy is lost",
    "DepthwiseConv2D": "tfmot does not cluster depthwise kernels: too much accuracy is lost",
}


def choose_layers(
    plain: tf_keras.Model, config: ClusterConfig
) -> tuple[dict[str, int], list[dict[str, str]]]:
    """Decides for each layer with weights whether it is clustered, and by how many values.

    Returns:
        Name → number of clusters of the clustered layers; layer, class and reason of the others.

    Raises:
        ConfigError: no layer is left to cluster, or a pattern fits none.
    """
    weighted = [layer for layer in plain.layers if layer.weights]
    check_patterns(SECTION, config.layers, [layer.name for layer in weighted])
    chosen: dict[str, int] = {}
    skipped: list[dict[str, str]] = []
    for layer in weighted:
        override = first_match(config.layers, layer.name)
        number = config.number_of_clusters
        if override is not None and override.number_of_clusters is not None:
            number = override.number_of_clusters
        skip = override is not None and override.skip
        reason = _reason_to_leave(layer, number, skip, config.preserve_sparsity)
        if reason is None:
            chosen[layer.name] = number
        else:
            entry = {"layer": layer.name, "class": type(layer).__name__, "reason": reason}
            skipped.append(entry)
    if not chosen:
        reasons = "; ".join(f"{entry['layer']}: {entry['reason']}" for entry in skipped)
        raise ConfigError(
            f"cluster: no layer of '{plain.name}' can be clustered ({reasons or 'no weights'}); "
            "remove cluster from stages"
        )
    return chosen, skipped


def _reason_to_leave(layer: Any, number: int, skip: bool, preserve_sparsity: bool) -> str | None:
    class_name = type(layer).__name__
    if is_bridge_layer(layer):
        return f"runs as itself: {layer.spec.reason}"
    if class_name not in CLUSTERED_WEIGHTS:
        return LEFT_FREE.get(class_name, f"tfmot cannot cluster the class {class_name}")
    if skip:
        return "skip: true in cluster.layers"
    if not layer.trainable:
        return "not trainable"
    for tensor, variable in clustered_tensors(layer):
        values = variable.numpy()
        # Fewer weights than centroids would be sampled from; and they keep the promise as it is.
        needed = int(np.count_nonzero(values)) + 1 if preserve_sparsity else values.size
        if needed <= number:
            kind = "weights that are not zero" if preserve_sparsity else "weights"
            return f"{tensor} has only {needed - preserve_sparsity} {kind}"
    return None


def clustered_tensors(layer: Any) -> list[tuple[str, Any]]:
    """Returns the names and variables of the tensors that are clustered in a layer."""
    owner = getattr(layer, "cell", layer)
    return [(name, getattr(owner, name)) for name in CLUSTERED_WEIGHTS[type(layer).__name__]]
