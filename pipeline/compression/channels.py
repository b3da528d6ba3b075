"""Channels that stand or fall together, and what a model costs when some of them are gone.

Every channel of a tensor carries a label, an integer; channels that can only be removed together
have equal labels. A *unit* is what one label stands for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np


class Ties:
    """Labels, and which of them are one: a union-find whose roots are the lowest labels."""

    def __init__(self) -> None:
        """Begins without labels."""
        self._parents: list[int] = []

    def new(self, count: int) -> np.ndarray:
        """Returns `count` fresh labels, int64 (count,), tied to nothing."""
        first = len(self._parents)
        self._parents.extend(range(first, first + count))
        return np.arange(first, first + count)

    def __len__(self) -> int:
        """Returns how many labels there are."""
        return len(self._parents)

    def tie(self, left: np.ndarray, right: np.ndarray) -> None:
        """Makes left[i] and right[i] one, for every i; both (n,)."""
        for one, other in zip(left.tolist(), right.tolist(), strict=True):
            low, high = sorted((self._root(one), self._root(other)))
            self._parents[high] = low

    def roots(self, labels: np.ndarray) -> np.ndarray:
        """Returns the label that stands for each one's unit, int64 like `labels`."""
        return np.array([self._root(label) for label in labels.tolist()], dtype=np.int64)

    def _root(self, label: int) -> int:
        while self._parents[label] != label:
            self._parents[label] = self._parents[self._parents[label]]
            label = self._parents[label]
        return label


@dataclass(frozen=True)
class Sliced:
    """An array some of whose axes lose entries when units go.

    Attributes:
        shape: of the whole array.
        axes: axis (0 or more) → int (shape[axis],), the unit of each entry.
    """

    shape: tuple[int, ...]
    axes: Mapping[int, np.ndarray] = field(default_factory=dict)

    def kept_shape(self, kept: np.ndarray) -> tuple[int, ...]:
        """Returns the shape that is left.

        Args:
            kept: bool (units,), False for the units that go.
        """
        sizes = enumerate(self.shape)
        return tuple(
            int(np.count_nonzero(kept[self.axes[axis]])) if axis in self.axes else size
            for axis, size in sizes
        )

    def take(self, array: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """Returns `array`, of this shape, without the entries of units that are not kept."""
        for axis, units in self.axes.items():
            array = np.compress(kept[units], array, axis=axis)
        return array


@dataclass(frozen=True)
class Cost:
    """A sum over arrays: constant + Σ factor · elements left.

    Parameters have factor 1. Multiply-accumulates have the number of positions at which the layer
    applies its kernel: Dense and all convolutions cost positions · elements of the kernel.

    Attributes:
        constant: of all that no unit changes.
        terms: (factor, array).
    """

    constant: float
    terms: Sequence[tuple[float, Sliced]]

    def of(self, kept: np.ndarray) -> float:
        """Returns the cost with only these units, bool (units,)."""
        return self.constant + sum(
            factor * prod(array.kept_shape(kept)) for factor, array in self.terms
        )


def count_channels(layers: Iterable[np.ndarray], units: int) -> np.ndarray:
    """Counts how many channels of each layer belong to each unit.

    Args:
        layers: for each layer the units of its channels, int (channels,).
        units: how many units there are.

    Returns:
        int64 (layers, units).
    """
    return np.array([np.bincount(channels, minlength=units) for channels in layers])
