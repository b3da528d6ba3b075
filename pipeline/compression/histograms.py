"""Histograms of weights: how the values that are not zero are spread."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

BINS = 48


@dataclass(frozen=True)
class ValueHistogram:
    """Counts of values in equal bins; zeros are counted apart, they would hide all others.

    Attributes:
        low, high: ends of the first and the last bin; low < high unless there is no value.
        counts: values in each bin [low + i·w, low + (i+1)·w), the last one closed.
        parameters: all values, zeros included.
        zeros: values that are exactly 0.
        distinct: different values, 0 included.
    """

    low: float
    high: float
    counts: tuple[int, ...]
    parameters: int
    zeros: int
    distinct: int

    def to_json(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return {**asdict(self), "counts": list(self.counts)}


def count_values(values: np.ndarray, bins: int = BINS) -> ValueHistogram:
    """Counts the values of a tensor in bins from its smallest to its largest value.

    Args:
        values: any shape, real numbers; NaN and ±Inf are left out of the bins.
        bins: at least 1.

    Returns:
        The histogram; its range reaches from the smallest to the largest value, 0 included, so
        that two of them can be laid over each other around 0.
    """
    flat = np.asarray(values, np.float64).reshape(-1)
    real = flat[np.isfinite(flat) & (flat != 0)]
    low, high = (min(0.0, real.min()), max(0.0, real.max())) if real.size else (0.0, 0.0)
    counts = np.histogram(real, bins, (low, high))[0] if real.size else np.zeros(bins, int)
    return ValueHistogram(
        low=float(low),
        high=float(high),
        counts=tuple(counts.tolist()),
        parameters=int(flat.size),
        zeros=int(np.count_nonzero(flat == 0)),
        distinct=int(np.unique(flat).size),
    )


def dequantize(
    codes: np.ndarray,
    scales: np.ndarray,
    zero_points: np.ndarray,
    quantized_dimension: int = 0,
    block_size: int = 0,
) -> np.ndarray:
    """The real numbers that stored values stand for: scale · (code − zero_point).

    Args:
        codes: any shape.
        scales: () or (1,) or (codes.shape[quantized_dimension],); empty: the codes are real.
        zero_points: as many as scales.
        quantized_dimension: the axis of per-channel scales.
        block_size: elements along the last axis that share a scale, of which there is one per
            block then, without zero points; 0: not block-wise.

    Returns:
        float64 of the shape of codes. (TensorFlow Lite 8-bit quantization specification)
    """
    if np.size(scales) == 0:
        return np.asarray(codes, np.float64)
    if block_size:
        blocks = codes.astype(np.float64).reshape(-1, block_size)
        return (blocks * np.asarray(scales, np.float64)[:, None]).reshape(codes.shape)
    shape = [1] * codes.ndim
    if np.size(scales) > 1:
        shape[quantized_dimension] = np.size(scales)
    points = np.zeros_like(scales) if np.size(zero_points) == 0 else zero_points
    factors = np.asarray(scales, np.float64).reshape(shape)
    return factors * (codes.astype(np.float64) - np.asarray(points, np.float64).reshape(shape))
