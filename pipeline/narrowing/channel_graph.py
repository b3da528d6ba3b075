"""Which channels of a Keras 3 model can only be removed together, and which not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.bridge.graph import Call, Graph, walk
from pipeline.compression.channels import Sliced, Ties
from pipeline.narrowing.follower import Follower
from pipeline.narrowing.rules_table import follow

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class SlicedWeight:
    """A weight that loses entries when units go.

    Attributes:
        layer: name of its layer.
        name: attribute of the layer that holds it, e.g. "kernel".
        array: its shape, and the units of its axes.
        reads: the axis over which it sums channels; None: it works on each by itself.
        makes: the axis of its filters or units; None: what it makes is what it was given.
    """

    layer: str
    name: str
    array: Sliced
    reads: int | None
    makes: int | None


@dataclass(frozen=True)
class Reading:
    """A call that sums over channels: without a unit, it is as if the unit's channels were zero.

    Attributes:
        call: of a layer with a kernel.
        units: int (channels,), the unit of each channel that it reads.
    """

    call: Call
    units: np.ndarray


@dataclass(frozen=True)
class ChannelGraph:
    """Units 0, 1, … of a model; all channels have one.

    Attributes:
        graph: the model's calls.
        count: number of units.
        frozen: unit → why it cannot be removed.
        producers: layer → int (outputs,), the units of the channels that it makes.
        scales: BatchNormalization → int (channels,), the units that it scales.
        weights: everything that loses entries.
        readings: in the order of the calls.
        counts: layer → (key of its configuration, the units that this number counts).
    """

    graph: Graph
    count: int
    frozen: Mapping[int, str]
    producers: Mapping[str, np.ndarray]
    scales: Mapping[str, np.ndarray]
    weights: tuple[SlicedWeight, ...]
    readings: tuple[Reading, ...]
    counts: Mapping[str, tuple[str, np.ndarray]]

    def removable(self, layer: str) -> np.ndarray:
        """Returns the units of a layer's channels that may be removed, rising."""
        units = np.unique(self.producers[layer])
        return units[[unit not in self.frozen for unit in units]]

    def reason(self, layer: str) -> str:
        """Says why none of a layer's channels may be removed."""
        reasons = dict.fromkeys(
            self.frozen[unit] for unit in self.producers[layer].tolist() if unit in self.frozen
        )
        return "; ".join(reasons)


def find_channels(model: keras.Model, is_skipped: Callable[[str], bool]) -> ChannelGraph:
    """Follows every channel of a model from where it is made to where it is read.

    Args:
        model: a built functional or Sequential Keras 3 model.
        is_skipped: name of a layer → whether its channels are to stay.

    Raises:
        ConfigError: the model has no graph.
    """
    graph = walk(model)
    follower = Follower(Ties(), graph.shapes)
    for entry in graph.inputs:
        follower.labels[entry.ref] = follower.fixed(entry.shape, "is an input of the model")
    for call in graph.calls:
        follow(call, follower)
    for ref in graph.output_refs():
        follower.freeze(follower.labels[ref], "is an output of the model")
    for layer, labels in follower.producers.items():
        if is_skipped(layer):
            follower.freeze(labels, f"{layer} is skipped")
    return _numbered(graph, follower)


def _numbered(graph: Graph, follower: Follower) -> ChannelGraph:
    """Gives the units the numbers 0, 1, … in the order in which they are made."""
    ties = follower.ties
    everything = ties.roots(np.arange(len(ties)))
    roots = np.unique(everything)

    def units(labels: np.ndarray) -> np.ndarray:
        return np.searchsorted(roots, everything[labels])

    frozen: dict[int, str] = {}
    for labels, reason in follower.frozen:
        for unit in units(labels).tolist():
            frozen.setdefault(unit, reason)
    weights = tuple(
        SlicedWeight(
            layer,
            name,
            Sliced(found.shape, {axis: units(labels) for axis, labels in found.axes.items()}),
            found.reads,
            found.makes,
        )
        for (layer, name), found in follower.weights.items()
    )
    return ChannelGraph(
        graph=graph,
        count=len(roots),
        frozen=frozen,
        producers={layer: units(labels) for layer, labels in follower.producers.items()},
        scales={layer: units(labels) for layer, labels in follower.scales.items()},
        weights=weights,
        readings=tuple(Reading(call, units(labels)) for call, labels in follower.readings),
        counts={layer: (key, units(labels)) for layer, (key, labels) in follower.counts.items()},
    )
