"""What is known of a model's channels while its calls are followed one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline.bridge.graph import Call, Ref
from pipeline.compression.channels import Ties


@dataclass(frozen=True)
class LabelledWeight:
    """A weight that loses entries when channels go.

    Attributes:
        shape: of the weight.
        axes: axis (0 or more) → labels of its entries.
        reads: the axis over which it sums channels.
        makes: the axis of the channels that the layer makes of nothing.
    """

    shape: tuple[int, ...]
    axes: dict[int, np.ndarray]
    reads: int | None
    makes: int | None


@dataclass
class Follower:
    """Labels of all channels so far, and what follows from them.

    Attributes:
        ties: which labels are one.
        shapes: of all tensors.
        labels: tensor → int (size of its last axis,).
        frozen: labels that stay, and why.
        producers: layer → labels of the channels that it makes.
        scales: BatchNormalization with gamma → labels of its channels.
        weights: (layer, attribute) → what loses entries with which labels.
        readings: calls that sum over channels, with the labels of these.
        counts: layer → (key of its configuration, labels that the number counts).
    """

    ties: Ties
    shapes: Mapping[Ref, tuple[int | None, ...]]
    labels: dict[Ref, np.ndarray] = field(default_factory=dict)
    frozen: list[tuple[np.ndarray, str]] = field(default_factory=list)
    producers: dict[str, np.ndarray] = field(default_factory=dict)
    scales: dict[str, np.ndarray] = field(default_factory=dict)
    weights: dict[tuple[str, str], LabelledWeight] = field(default_factory=dict)
    readings: list[tuple[Call, np.ndarray]] = field(default_factory=list)
    counts: dict[str, tuple[str, np.ndarray]] = field(default_factory=dict)

    def freeze(self, labels: np.ndarray, reason: str) -> None:
        """Keeps these channels."""
        if len(labels):
            self.frozen.append((labels, reason))

    def fixed(self, shape: tuple[int | None, ...], reason: str) -> np.ndarray:
        """Returns labels of channels that stay; none where their number is not known."""
        labels = self.ties.new(shape[-1] if len(shape) > 1 and shape[-1] is not None else 0)
        self.freeze(labels, reason)
        return labels

    def leave_alone(self, call: Call, reason: str) -> None:
        """Keeps all channels that a call reads and makes."""
        for ref in call.inputs:
            self.freeze(self.labels[ref], reason)
        for ref in call.outputs:
            self.labels[ref] = self.fixed(self.shapes[ref], reason)

    def inputs(self, call: Call) -> list[np.ndarray]:
        """Returns the labels of each tensor that a call reads."""
        return [self.labels[ref] for ref in call.inputs]

    def give(self, call: Call, labels: np.ndarray) -> None:
        """Sets the labels of the one tensor that a call makes."""
        self.labels[call.outputs[0]] = labels

    def make(self, call: Call, key: str, count: int) -> np.ndarray:
        """Returns the labels of a layer's outputs, equal for each of its calls."""
        if call.name not in self.producers:
            self.producers[call.name] = self.ties.new(count)
            self.counts[call.name] = (key, self.producers[call.name])
        return self.producers[call.name]

    def slice(
        self,
        call: Call,
        name: str,
        axes: Mapping[int, np.ndarray],
        reads: int | None = None,
        makes: int | None = None,
    ) -> None:
        """Notes a weight of the call's layer, if it has it, with the labels of its axes.

        A layer that is called again holds the same weight: its labels and these become one.

        Args:
            call: of the layer.
            name: attribute of the layer.
            axes: axis, negative ones from the end → labels.
            reads, makes: axes, as in LabelledWeight.
        """
        weight: Any = getattr(call.layer, name, None)
        if weight is None:
            return
        rank = len(weight.shape)
        found = LabelledWeight(
            tuple(weight.shape),
            {axis % rank: labels for axis, labels in axes.items()},
            None if reads is None else reads % rank,
            None if makes is None else makes % rank,
        )
        known = self.weights.setdefault((call.name, name), found)
        for axis, labels in found.axes.items():
            self.ties.tie(known.axes[axis], labels)
