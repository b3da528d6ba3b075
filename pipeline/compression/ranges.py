"""Which range of real values an affine quantizer should cover, from a histogram of what it meets.

A wide range makes coarse steps for all values, a narrow one cuts off the largest: (low, high) is
chosen so that few values are cut off (`percentile_range`), or so that the squared error is least
(`least_error_range`; the trade-off of Banner et al. 2019, arXiv 1810.05723, section 3).

Every range holds 0, which an affine quantizer keeps exact; zeros are therefore counted apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.errors import ConfigError

# 32 bins to an int8 step of the whole range, and still 1 to a step of a range cut to a 32nd.
BINS = 8192
# Candidates for an end of the range: the whole, and so many smaller ones, each 4 % below the last.
_CANDIDATES = 2.0 ** (-np.arange(112) / 16)
_MAX_ROUNDS = 8

Range = tuple[float, float]


@dataclass(frozen=True)
class ObservedValues:
    """What a tensor held over all samples.

    Attributes:
        low, high: smallest and largest value, 0 included: low ≤ 0 ≤ high.
        counts: int64 (bins,), the values other than 0 in equal bins from low to high.
        zeros: how many were exactly 0.
    """

    low: float
    high: float
    counts: np.ndarray
    zeros: int

    @property
    def edges(self) -> np.ndarray:
        """Returns float64 (bins + 1,), the ends of the bins."""
        return np.linspace(self.low, self.high, len(self.counts) + 1)

    @property
    def centers(self) -> np.ndarray:
        """Returns float64 (bins,), the middle of each bin."""
        edges = self.edges
        return (edges[:-1] + edges[1:]) / 2


def count_in_bins(values: np.ndarray, low: float, high: float, bins: int = BINS) -> np.ndarray:
    """Counts the values other than 0 in equal bins from low to high.

    Args:
        values: any shape, real; what lies outside is counted in the first or the last bin.
        low, high: low < high.
        bins: at least 1.

    Returns:
        int64 (bins,).
    """
    flat = np.asarray(values, np.float64).reshape(-1)
    places = (flat[flat != 0] - low) * (bins / (high - low))
    return np.bincount(np.clip(places, 0, bins - 1).astype(np.int64), minlength=bins)


def percentile_range(observed: ObservedValues, percentile: float) -> Range:
    """The range from percentile 100 − p to percentile p of the values that are not 0.

    Zeros do not count: behind a ReLU most values may be 0, which costs no error.

    Args:
        observed: at least one bin.
        percentile: p, above 50 and at most 100; 100 keeps the smallest and the largest value.

    Returns:
        (low, high), low ≤ 0 ≤ high; linear within a bin. (0, 0) if all values are 0.

    Raises:
        ConfigError: a percentile outside.
    """
    if not 50 < percentile <= 100:
        raise ConfigError(f"percentile {percentile}: expected above 50 and at most 100")
    total = observed.counts.sum()
    if total == 0:
        return 0.0, 0.0
    shares = np.concatenate([[0.0], np.cumsum(observed.counts) / total])
    # Where the share stands still, over empty bins, each end takes the side that is nearer to 0.
    first = np.searchsorted(shares, 1 - percentile / 100, side="right") - 1
    last = np.searchsorted(shares, percentile / 100, side="left")
    low = _within_bin(observed, shares, int(first), 1 - percentile / 100)
    high = _within_bin(observed, shares, int(last) - 1, percentile / 100)
    return min(low, 0.0), max(high, 0.0)


def _within_bin(observed: ObservedValues, shares: np.ndarray, index: int, share: float) -> float:
    """The value up to which `share` of the values lie, linear within bin `index`."""
    edges = observed.edges
    part = (share - shares[index]) / (shares[index + 1] - shares[index])
    return float(edges[index] + part * (edges[index + 1] - edges[index]))


def squared_error(observed: ObservedValues, low: float, high: float, steps: int = 255) -> float:
    """Sum of squared errors when values are rounded to `steps` steps of (low, high) and cut off.

    A value inside has the error of rounding, step² / 12 on average; one outside its distance to
    the nearer end; 0 none.

    Args:
        observed: what is quantized.
        low, high: low ≤ 0 ≤ high, low < high.
        steps: 2^num_bits − 1.
    """
    centers = observed.centers
    outside = np.maximum(low - centers, 0) + np.maximum(centers - high, 0)
    rounding = ((high - low) / steps) ** 2 / 12
    errors = np.where(outside > 0, outside**2, rounding)
    return float((observed.counts * errors).sum())


def least_error_range(observed: ObservedValues, steps: int = 255) -> Range:
    """The range with the least `squared_error`, both ends together, then each in turn.

    Args:
        observed: what is quantized.
        steps: 2^num_bits − 1.

    Returns:
        (low, high), low ≤ 0 ≤ high, never outside the values; (0, 0) if all of them are 0.
    """
    if observed.counts.sum() == 0:
        return 0.0, 0.0
    low, high = observed.low, observed.high
    # Both together first: one end alone halves the step at best.
    found = (low * _CANDIDATES, high * _CANDIDATES)
    low, high = _best(observed, steps, *found)
    for _ in range(_MAX_ROUNDS):
        before = low, high
        if observed.high > 0:
            low, high = _best(observed, steps, np.full(len(_CANDIDATES), low), found[1])
        if observed.low < 0:
            low, high = _best(observed, steps, found[0], np.full(len(_CANDIDATES), high))
        if (low, high) == before:
            break
    return low, high


def _best(observed: ObservedValues, steps: int, lows: np.ndarray, highs: np.ndarray) -> Range:
    """Returns the pair of ends with the least error; the first of equals."""
    pairs = list(zip(lows.tolist(), highs.tolist(), strict=True))
    return min(pairs, key=lambda pair: squared_error(observed, pair[0], pair[1], steps))
