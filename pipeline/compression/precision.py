"""Which layer gets how many bits: from all bits to the fewest, by harm per byte saved."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def greedy_path(harm: np.ndarray, saved: np.ndarray) -> list[np.ndarray]:
    """Orders the assignments of choices to layers from the widest to the narrowest.

    Each step gives one layer a choice that saves more bytes: the one whose loss rises least per
    byte that it saves beyond what the layer saves already. A rise below 0 counts as 0; of equal
    steps the one that saves more is taken.

    Args:
        harm: float (layers, choices), how much the loss rises when only this layer has the choice;
            0 in the first column, the widest choice. NaN: the layer cannot have it.
        saved: float (layers, choices), bytes that this saves of the file; 0 in the first column.

    Returns:
        int64 (layers,) per step, the choice of each layer; the first one is all 0.
    """
    harm = np.maximum(np.where(np.isnan(harm), np.inf, harm), 0.0)
    layers = np.arange(len(harm))
    chosen = np.zeros(len(harm), dtype=np.int64)
    path = [chosen]
    while True:
        gain = saved - saved[layers, chosen][:, None]
        rise = np.maximum(harm - harm[layers, chosen][:, None], 0.0)
        possible = (gain > 0) & np.isfinite(harm)
        if not possible.any():
            return path
        price = np.divide(rise, gain, out=np.full_like(rise, np.inf), where=possible)
        best = np.flatnonzero(price == price.min())
        layer, choice = np.unravel_index(best[np.argmax(gain.ravel()[best])], gain.shape)
        chosen = chosen.copy()
        chosen[layer] = choice
        path.append(chosen)


def find_furthest(count: int, holds: Callable[[int], bool]) -> int | None:
    """Finds by bisection a place where something still holds, and no longer one further on.

    Args:
        count: places, ≥ 1.
        holds: asked for at most 2 + log₂(count) places. Where it does not fall from true to false
            once alone, one of the places where it does is found.

    Returns:
        The place, or None if it does not hold at 0. It was asked for, and held.
    """
    if not holds(0):
        return None
    if count > 1 and holds(count - 1):
        return count - 1
    low, high = 0, count - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
