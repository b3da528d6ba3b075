"""The weights of an `.h5` file: per layer of the model a list of named arrays.

Arrays are matched by layer, by their own names and by shape; the order alone decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import UntrustedModelError
from pipeline.foreign.layer_tree import LayerNode, leaves, own_name

if TYPE_CHECKING:
    import keras

TOP_LEVEL = "top_level_model_weights"
# Keras 2's name of a weight → Keras 3's, where it may differ.
_RENAMED = {"depthwise_kernel": "kernel", "sn_u": "vector_u"}
# States of random generators, which Keras 2 keeps as weights of augmentation layers.
_SEEDS = frozenset({"StateVar", "seed_generator_state"})

# (name of the inner layer, weight)
Pairs = list[tuple[str | None, Any]]
# Layer → [(name, values)].
LayerArrays = Mapping[str, list[tuple[str, np.ndarray]]]


def match_layers(
    model: keras.Model, nodes: tuple[LayerNode, ...], stored: LayerArrays, where: Path | str
) -> dict[int, np.ndarray]:
    """Finds the values of a model's variables.

    Args:
        model: rebuilt; its variables need no values yet.
        nodes: the file's list of its layers; empty for a subclassed model.
        stored: what the file holds, by the file's names of layers.
        where: the file, for messages.

    Returns:
        id of a variable → its value, of the variable's shape.

    Raises:
        UntrustedModelError: arrays of another name, number or shape than the layer's weights.
    """
    inner = {node.name: node for node in nodes}
    layers = {layer.name: layer for layer in model.layers}
    values: dict[int, np.ndarray] = {}
    for name, listed in stored.items():
        arrays = [(n, array) for n, array in listed if _last(n) not in _SEEDS]
        pairs: Pairs = []
        if name == TOP_LEVEL:
            own = [*model._trainable_variables, *model._non_trainable_variables]
            pairs = [(None, weight) for weight in own]
        elif own_name(name) in layers:
            pairs = _weights(layers[own_name(name)], inner.get(own_name(name)))
        if not arrays and not pairs:
            continue
        if len(arrays) != len(pairs):
            raise UntrustedModelError(
                f"{where}: layer '{name[:200]}' has {len(arrays)} arrays, expected {len(pairs)}; "
                "the weights are of another model, save it again"
            )
        values |= _match_layer(pairs, arrays, f"{where}: layer '{name[:200]}'")
    return values


def _weights(layer: Any, node: LayerNode | None) -> Pairs:
    """Lists (name of the inner layer, weight) in the order of the form: trainable ones first."""
    if node is None or node.inner is None:
        return [(None, w) for w in [*layer.trainable_weights, *layer.non_trainable_weights]]
    found = dict(_inner_layers(layer))
    ordered = [(leaf.name, found[leaf.name]) for leaf in leaves(node.inner) if leaf.name in found]
    pairs: Pairs = [(name, w) for name, one in ordered for w in one.trainable_weights]
    pairs += [(name, w) for name, one in ordered for w in one.non_trainable_weights]
    # A layer that is called in two inner models is listed twice, its weights once.
    unique: dict[int, tuple[str | None, Any]] = {}
    for name, weight in pairs:
        unique.setdefault(id(weight), (name, weight))
    return list(unique.values())


def _inner_layers(model: Any) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for layer in model.layers:
        found += _inner_layers(layer) if hasattr(layer, "layers") else [(layer.name, layer)]
    return found


def _match_layer(
    pairs: Pairs, arrays: list[tuple[str, np.ndarray]], where: str
) -> dict[int, np.ndarray]:
    owners = {owner for owner, _ in pairs if owner is not None}
    in_order = zip(pairs, arrays, strict=True)
    if not all(_fits(owner, weight, name, owners) for (owner, weight), (name, _) in in_order):
        arrays = [_find(owner, weight, arrays, owners, where) for owner, weight in pairs]
    values: dict[int, np.ndarray] = {}
    for (_, weight), (name, array) in zip(pairs, arrays, strict=True):
        if tuple(weight.shape) != array.shape:
            raise UntrustedModelError(
                f"{where}: '{name[:200]}' has shape {array.shape}, expected {tuple(weight.shape)}; "
                "the weights are of another model, save it again"
            )
        values[id(weight)] = array
    return values


def _find(
    owner: str | None,
    weight: Any,
    arrays: list[tuple[str, np.ndarray]],
    owners: set[str],
    where: str,
) -> tuple[str, np.ndarray]:
    """Finds a weight's array by name where the order is another than expected."""
    found = [
        (name, array)
        for name, array in arrays
        if _fits(owner, weight, name, owners) and array.shape == tuple(weight.shape)
    ]
    if len(found) != 1:
        received = ", ".join(name[:80] for name, _ in arrays[:6])
        raise UntrustedModelError(
            f"{where}: {len(found)} arrays could be its {owner + ' ' if owner else ''}"
            f"{weight.name} of shape {tuple(weight.shape)}, received {received}; save the model "
            "again as .keras"
        )
    return found[0]


def _fits(owner: str | None, weight: Any, name: str, owners: set[str]) -> bool:
    """True if an array's name is that of the weight, and of no other inner layer."""
    last = _last(name)
    nameless = re.fullmatch(r"variable(_\d+)?", weight.name)
    if not nameless and weight.name not in (last, _RENAMED.get(last)):
        return False
    parts = {own_name(part) for part in name.split("/")[:-1]}
    return owner is None or owner in parts or not (parts & owners)


def _last(name: str) -> str:
    """Returns "kernel" of "dense/kernel:0"."""
    return name.rpartition("/")[2].partition(":")[0]
