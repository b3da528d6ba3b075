"""The paired comparison of two files on the same samples."""

from __future__ import annotations

import math

from pipeline.compression.statistics import Z_95

SIGNIFICANCE_LEVEL = 0.05


def paired_difference(float_only: int, file_only: int, samples: int) -> float:
    """Accuracy of the file minus accuracy of the float file, as a fraction in [-1, 1].

    Args:
        float_only: samples that only the float file gets right, ≥ 0.
        file_only: samples that only the other file gets right, ≥ 0.
        samples: samples that both were run on, ≥ 1.
    """
    return (file_only - float_only) / samples


def paired_interval(float_only: int, file_only: int, samples: int) -> tuple[float, float]:
    """95 % confidence interval of `paired_difference`.

    Agresti and Min, "Simple improved confidence intervals for comparing matched proportions",
    Statistics in Medicine 24 (2005): Wald's interval after half an observation is added to
    each of the four cells. It does not collapse to a point when both files agree everywhere.

    Args:
        float_only, file_only, samples: as in `paired_difference`.

    Returns:
        (low, high), fractions clipped to [-1, 1].
    """
    lost, won, total = float_only + 0.5, file_only + 0.5, samples + 2.0
    centre = (won - lost) / total
    deviation = math.sqrt(lost + won - (won - lost) ** 2 / total) / total
    return max(-1.0, centre - Z_95 * deviation), min(1.0, centre + Z_95 * deviation)


def is_significant(p_value: float) -> bool:
    """True when McNemar's test rejects equal accuracy at the 5 % level."""
    return p_value < SIGNIFICANCE_LEVEL
