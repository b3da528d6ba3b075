"""The layers of a model's config as the file lists them: names, classes, models in models.

Keras numbers and orders the weights of a file by this list, and a rebuilt model may sort its
layers otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.foreign.keras_2_operations import OPERATION_LAYERS
from pipeline.foreign.nodes import is_operation


@dataclass(frozen=True)
class LayerNode:
    """A layer in the file.

    Attributes:
        name: as the rebuilt model has it.
        class_name: as the file has it.
        inner: the layers of a model in the model, in the file's order; None for a layer.
    """

    name: str
    class_name: str
    inner: tuple[LayerNode, ...] | None = None


def layer_tree(model_config: Any) -> tuple[LayerNode, ...]:
    """Lists a model's layers.

    Args:
        model_config: {"class_name", "config"} of a checked functional or sequential model.

    Returns:
        The layers in the file's order, without operations (`x + y`); empty for a subclassed model.
    """
    config = model_config["config"]
    nodes = config.get("layers", []) if isinstance(config, dict) else config
    if not isinstance(nodes, list):
        return ()
    return tuple(_layer_node(node) for node in nodes if not _is_operation(node))


def own_name(name: str) -> str:
    """Returns a layer's name as Keras 3 allows it: without "/"."""
    return name.replace("/", "_")


def leaves(nodes: tuple[LayerNode, ...]) -> Iterator[LayerNode]:
    """Yields the layers that are no models, in the file's order."""
    for node in nodes:
        if node.inner is None:
            yield node
        else:
            yield from leaves(node.inner)


def _layer_node(node: dict[str, Any]) -> LayerNode:
    config = node["config"]
    settings = config if isinstance(config, dict) else {}
    name = node.get("name") or settings.get("name") or ""
    inner = layer_tree(node) if _is_model(node) else None
    return LayerNode(own_name(str(name)), str(node["class_name"]), inner)


def _is_model(node: dict[str, Any]) -> bool:
    config = node["config"]
    return isinstance(config, list) or isinstance(config.get("layers"), list)


def _is_operation(node: dict[str, Any]) -> bool:
    return node["class_name"] in OPERATION_LAYERS or is_operation(node)
