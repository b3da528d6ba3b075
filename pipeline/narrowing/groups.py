"""Groups of units that are ranked together, and what a model costs without some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.compression.channels import Cost, Sliced, count_channels
from pipeline.compression.importance import removal_order
from pipeline.errors import ConfigError
from pipeline.preflight.macs import call_macs

if TYPE_CHECKING:
    import keras

    from pipeline.bridge.graph import Graph
    from pipeline.narrowing.channel_graph import ChannelGraph


@dataclass(frozen=True)
class Group:
    """Layers that share channels, as the last layers of the branches of a residual block do.

    Attributes:
        layers: in the order of the graph.
        units: int (units,), those that have a score and may be removed.
        order: int (removable,), units from the least important on; the first k may go together.
    """

    layers: tuple[str, ...]
    units: np.ndarray
    order: np.ndarray

    @property
    def name(self) -> str:
        """Its layers."""
        return ", ".join(self.layers)


def find_groups(channels: ChannelGraph, scores: np.ndarray, min_channels: int) -> list[Group]:
    """Groups the removable units by the layers that make them, and orders each group.

    Args:
        channels: of the model.
        scores: float (units,); units with NaN stay.
        min_channels: that each layer keeps, ≥ 1.
    """
    removable = {
        layer: units[~np.isnan(scores[units])]
        for layer, units in ((name, channels.removable(name)) for name in channels.producers)
    }
    groups = []
    for layers in _sharing(removable):
        units = np.unique(np.concatenate([removable[layer] for layer in layers]))
        made = count_channels([channels.producers[layer] for layer in layers], channels.count)
        # Channels that stay anyway count for the least number too.
        staying = made.sum(axis=1) - made[:, units].sum(axis=1)
        counted = np.column_stack([made[:, units], staying])
        order = removal_order(np.append(scores[units], np.inf), counted, min_channels)
        order = order[order < len(units)]
        groups.append(Group(tuple(layers), units, units[order]))
    return groups


def _sharing(removable: Mapping[str, np.ndarray]) -> list[list[str]]:
    """Puts layers together that share a unit, directly or by way of others."""
    groups: list[tuple[list[str], set[int]]] = []
    for layer, units in removable.items():
        if not len(units):
            continue
        touched = [group for group in groups if group[1] & set(units.tolist())]
        names = [name for group in touched for name in group[0]] + [layer]
        together = set(units.tolist()).union(*(group[1] for group in touched))
        groups = [group for group in groups if group not in touched] + [(names, together)]
    order = list(removable)
    return [sorted(names, key=order.index) for names, _ in groups]


def parameter_cost(model: keras.Model, channels: ChannelGraph) -> Cost:
    """Returns the parameters of the model as a function of the units that are kept."""
    terms = [(1.0, weight.array) for weight in channels.weights]
    return _with_constant(float(model.count_params()), terms, channels.count)


def macs_cost(channels: ChannelGraph, figure: str = "macs") -> Cost:
    """Returns the multiply-accumulates as a function of the units that are kept.

    Args:
        channels: of the model.
        figure: of the target that they are counted for, for errors.

    Raises:
        ConfigError: those of a layer are not known.
    """
    counted = count_macs(channels.graph)
    unknown = [name for name, macs in counted.items() if macs is None]
    if unknown:
        raise ConfigError(
            f"narrow.target.{figure}: the multiply-accumulates of {', '.join(unknown)} are not "
            "known; give target: {parameters: …}"
        )
    kernels: dict[str, list[Sliced]] = {}
    for weight in channels.weights:
        if len(weight.array.shape) > 1:
            kernels.setdefault(weight.layer, []).append(weight.array)
    everything = np.ones(channels.count, bool)
    terms = []
    for layer, arrays in kernels.items():
        elements = Cost(0, [(1.0, array) for array in arrays]).of(everything)
        terms += [((counted[layer] or 0) / elements, array) for array in arrays]
    total = float(sum(macs or 0 for macs in counted.values()))
    return _with_constant(total, terms, channels.count)


def count_macs(graph: Graph) -> dict[str, int | None]:
    """Counts the multiply-accumulates of each layer for one sample, over all of its calls."""
    counted: dict[str, int | None] = {}
    for call in graph.calls:
        macs, before = call_macs(call, graph.shapes), counted.get(call.name, 0)
        counted[call.name] = None if macs is None or before is None else before + macs
    return counted


def _with_constant(total: float, terms: list[tuple[float, Sliced]], units: int) -> Cost:
    return Cost(total - Cost(0, terms).of(np.ones(units, bool)), terms)
