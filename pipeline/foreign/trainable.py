"""Which layers of a rebuilt model are frozen."""

from __future__ import annotations

from typing import Any

from pipeline.foreign.layer_tree import LayerNode


def restore_trainable(model: Any, nodes: tuple[LayerNode, ...]) -> None:
    """Freezes the layers that the file says are frozen.

    A functional model that is trainable makes all its layers so when it is rebuilt
    (keras 3.15.1).

    Args:
        model: rebuilt.
        nodes: the file's list of its layers.
    """
    layers = {layer.name: layer for layer in model.layers}
    for node in nodes:
        layer = layers.get(node.name)
        if layer is None:
            continue
        if node.inner is not None and node.trainable:
            restore_trainable(layer, node.inner)
        elif not node.trainable:
            layer.trainable = False
