"""How many zeros each layer gets, so that all layers together have a given number of them.

Whatever the distribution says, a layer keeps at least `least` of its weights, and at most all of
them. The zeros asked for must lie between 0 and sum(sizes - least).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

BISECTIONS = 200


def zeros_by_erk(
    sizes: np.ndarray, least: np.ndarray, dimensions: np.ndarray, zeros: int
) -> np.ndarray:
    """Erdős–Rényi-Kernel (Evci et al. 2020, section 3): wide layers become sparser than small ones.

    The density of a layer is ε · (sum of its kernel's dimensions) / (their product), at most 1:
    layers for which it would be more stay dense, and ε rises for the others until the total is
    right. Here `least` bounds it from below in the same way.

    Args:
        sizes: int (layers,), weights.
        least: int (layers,), see above.
        dimensions: (layers,), sum of the kernel's dimensions, of several kernels over all of them.
        zeros: of all layers together.

    Returns:
        int64 (layers,), zeros of each; their sum is `zeros`.
    """
    kept = int(sizes.sum()) - zeros

    def left(epsilon: float) -> np.ndarray:
        return np.clip(epsilon * dimensions, least, sizes)

    low, high = 0.0, float(np.max(sizes / dimensions))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if left(middle).sum() < kept else (low, middle)
    return sizes - round_to_sum(left(high), least, sizes, kept)


def zeros_by_score(scores: Sequence[np.ndarray], least: np.ndarray, zeros: int) -> np.ndarray:
    """One threshold for all layers: the weights with the lowest scores become zero.

    Args:
        scores: for each layer (weights,), ≥ 0: magnitudes (Han et al. 2015), or `lamp_scores`.
        least: int (layers,), so many of its highest are safe in each layer.
        zeros: of all layers together.

    Returns:
        int64 (layers,), zeros of each; their sum is `zeros`. Of equal scores at the threshold those
        of the first layers go.
    """
    removable = [
        np.partition(score, score.size - count)[: score.size - count] if count else score
        for score, count in zip(scores, least, strict=True)
    ]
    if not zeros:
        return np.zeros(len(scores), np.int64)
    threshold = np.partition(np.concatenate(removable), zeros - 1)[zeros - 1]
    below = np.array([np.count_nonzero(score < threshold) for score in removable], np.int64)
    equal = np.array([np.count_nonzero(score == threshold) for score in removable], np.int64)
    before = np.cumsum(equal) - equal
    return below + np.clip(zeros - below.sum() - before, 0, equal)


def lamp_scores(magnitudes: np.ndarray) -> np.ndarray:
    """Layer-adaptive magnitudes (LAMP, Lee et al. 2021, eq. 3): w² / Σ v² over all |v| ≥ |w|.

    The largest weight of every layer has the score 1, so layers of any scale compare.

    Args:
        magnitudes: (weights,), ≥ 0, of one layer.

    Returns:
        float64 (weights,), in [0, 1], in the same order; 0 where all that is left is 0.
    """
    order = np.argsort(-magnitudes, kind="stable")
    squares = np.square(magnitudes[order], dtype=np.float64)
    sums = np.cumsum(squares)
    scores = np.empty_like(squares)
    scores[order] = np.divide(squares, sums, out=np.zeros_like(squares), where=sums > 0)
    return scores


def zeros_by_sensitivity(curves: Sequence[Mapping[int, float]], zeros: int) -> np.ndarray:
    """Takes weights where the loss rises least per weight, until there are enough zeros.

    Each curve is replaced by the highest convex one below it, so its steps become steeper and
    steeper; taking the flattest steps of all layers first then makes the summed rise smallest.

    Args:
        curves: for each layer, zeros → rise of the loss with only these; straight lines between
            the points, of which the last is the most zeros that the layer may get.
        zeros: of all layers together.

    Returns:
        int64 (layers,), zeros of each; their sum is `zeros`.
    """
    steps: list[tuple[float, int, int]] = []
    for layer, curve in enumerate(curves):
        points = convex_below([(0, 0.0), *sorted(curve.items())])
        for (start, low), (end, high) in itertools.pairwise(points):
            steps.append(((high - low) / (end - start), layer, end - start))
    found = np.zeros(len(curves), np.int64)
    left = zeros
    # A layer's own steps rise in slope, so sorting keeps their order.
    for _, layer, count in sorted(steps):
        taken = min(count, left)
        found[layer] += taken
        left -= taken
    return found


def convex_below(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Returns the corners of the highest convex, never falling curve that is below all points.

    Args:
        points: (x, y) with x rising, at least one.
    """
    heights = np.minimum.accumulate([y for _, y in points][::-1])[::-1]
    corners: list[tuple[int, float]] = []
    for x, y in zip((x for x, _ in points), map(float, heights), strict=True):
        while len(corners) > 1 and _slope(corners[-2], corners[-1]) >= _slope(corners[-2], (x, y)):
            corners.pop()
        corners.append((x, y))
    return corners


def _slope(start: tuple[int, float], end: tuple[int, float]) -> float:
    return (end[1] - start[1]) / (end[0] - start[0])


def round_to_sum(values: np.ndarray, low: np.ndarray, high: np.ndarray, total: int) -> np.ndarray:
    """Rounds to integers with a given sum, the largest remainders up first.

    Args:
        values: float (n,), whose sum is within n of `total`.
        low, high: int (n,), bounds of each.
        total: of the integers.
    """
    rounded = np.clip(np.floor(values), low, high).astype(np.int64)
    while (missing := total - int(rounded.sum())) != 0:
        sign = 1 if missing > 0 else -1
        movable = (rounded < high) if sign > 0 else (rounded > low)
        remainders = np.where(movable, sign * (values - rounded), -np.inf)
        chosen = np.argsort(-remainders, kind="stable")[: min(abs(missing), int(movable.sum()))]
        rounded[chosen] += sign
    return rounded
