"""Signal-to-quantization-noise ratio: how much of a tensor's power is error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.errors import DataError

# A layer stands out when its ratio is this far below the median of all layers: a tenth of the
# signal per noise that the others have.
OUTLIER_DB = 10.0
# Integers of 16 bits come to 98 dB; from here on it is the rounding of float32 itself.
EXACT_DB = 120.0


@dataclass
class ErrorPower:
    """Sums of squares of a signal x and of the error x − x̂, taken in piece by piece.

    Attributes:
        signal: Σ x².
        noise: Σ (x − x̂)².
        elements: how many were taken in.
    """

    signal: float = 0.0
    noise: float = 0.0
    elements: int = 0

    def add(self, reference: np.ndarray, values: np.ndarray) -> None:
        """Takes in some elements.

        Args:
            reference: x, any shape.
            values: x̂, the same shape.

        Raises:
            DataError: the shapes differ.
        """
        if reference.shape != values.shape:
            raise DataError(f"values of shape {values.shape}: expected {reference.shape}")
        exact = np.asarray(reference, np.float64)
        self.signal += float(np.square(exact).sum())
        self.noise += float(np.square(exact - values).sum())
        self.elements += exact.size

    @property
    def sqnr_db(self) -> float | None:
        """10 · log10(E[x²] / E[(x − x̂)²]) in decibels; None without signal, or equal in float32."""
        if self.signal <= 0 or self.noise <= 0 or not math.isfinite(self.signal + self.noise):
            return None
        ratio = 10.0 * math.log10(self.signal / self.noise)
        return ratio if ratio < EXACT_DB else None


def find_outlier(ratios: Sequence[float | None]) -> int | None:
    """Returns the place of the one ratio that lies far below all others, or None.

    Args:
        ratios: in decibels; None where there is none.

    Returns:
        The place of the lowest, if it is OUTLIER_DB below the median of the others (at least
        two), and half as far below the next.
    """
    known = sorted((ratio, place) for place, ratio in enumerate(ratios) if ratio is not None)
    if len(known) < 3:
        return None
    (lowest, place), others = known[0], [ratio for ratio, _ in known[1:]]
    if lowest > float(np.median(others)) - OUTLIER_DB or lowest > others[0] - OUTLIER_DB / 2:
        return None
    return place
