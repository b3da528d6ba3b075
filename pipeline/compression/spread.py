"""How many units each group loses, so that the whole meets a budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

# int (groups,), units removed of each → cost of what is left; falls as more are removed.
CostOfCounts = Callable[[np.ndarray], float]
BISECTIONS = 30
# Parts in which a group's units are removed when the least harmful step is looked for.
PORTIONS = 16


def spread_uniformly(
    sizes: np.ndarray, removable: np.ndarray, cost: CostOfCounts, budget: float
) -> np.ndarray:
    """Removes the same fraction of every group, the smallest that meets the budget.

    Args:
        sizes: int (groups,), units of each group.
        removable: int (groups,), at most so many may go.
        cost: of what is left.
        budget: what it may cost at most; cost(removable) does.

    Returns:
        int64 (groups,), units to remove.
    """

    def counts(fraction: float) -> np.ndarray:
        return np.minimum(np.rint(fraction * sizes).astype(np.int64), removable)

    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if cost(counts(middle)) <= budget else (middle, high)
    found = counts(high)
    return give_back(found, found - counts(low), cost, budget)


def spread_by_sensitivity(
    removable: np.ndarray,
    curves: Sequence[Mapping[int, float]],
    cost: CostOfCounts,
    budget: float,
) -> np.ndarray:
    """Removes, step by step, where the loss rises least for what is saved.

    Args:
        removable: int (groups,), at most so many may go.
        curves: for each group, units removed → how much the loss rose with only these gone;
            straight lines between the points, and taken as rising.
        cost: of what is left.
        budget: what it may cost at most; cost(removable) does.

    Returns:
        int64 (groups,), units to remove.
    """
    counts = np.zeros(len(removable), dtype=np.int64)
    portions = np.maximum(removable // PORTIONS, 1)
    rises = [_rising(curve) for curve in curves]
    now = cost(counts)
    while now > budget:
        best: tuple[float, float, np.ndarray] | None = None
        for group in np.flatnonzero(counts < removable):
            after = counts.copy()
            after[group] = min(counts[group] + portions[group], removable[group])
            there = cost(after)
            harm = rises[group](after[group]) - rises[group](counts[group])
            per_saving = harm / max(now - there, 1e-12)
            if best is None or (per_saving, there) < best[:2]:
                best = (per_saving, there, after)
        assert best is not None, "the budget cannot be met"
        last = best[2] - counts
        counts, now = best[2], best[1]
    return give_back(counts, last, cost, budget) if counts.any() else counts


def give_back(
    counts: np.ndarray, most: np.ndarray, cost: CostOfCounts, budget: float
) -> np.ndarray:
    """Keeps units after all, group by group, as far as the budget allows.

    Args:
        counts: int (groups,), units removed.
        most: int (groups,), at most so many of them are kept.
        cost: of what is left.
        budget: what it may cost at most.

    Returns:
        int64 (groups,), units to remove.
    """
    counts = counts.copy()
    for group, units in enumerate(most):
        for _ in range(units):
            counts[group] -= 1
            if cost(counts) > budget:
                counts[group] += 1
                break
    return counts


def _rising(curve: Mapping[int, float]) -> Callable[[int], float]:
    removed = np.array([0, *sorted(curve)], dtype=np.float64)
    losses = np.maximum.accumulate(np.array([0.0, *(curve[n] for n in sorted(curve))]))
    return lambda count: float(np.interp(count, removed, losses))
