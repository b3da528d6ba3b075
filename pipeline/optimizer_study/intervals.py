"""Means over a few seeds with the uncertainty that so few leave."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import TypedDict

# Student's t, 97.5 % quantile for 1 to 30 degrees of freedom (a test compares with SciPy).
T_975 = (
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
    2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
    2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
)  # fmt: skip
NORMAL_975 = 1.959964


class Estimate(TypedDict):
    """A mean over seeds; `interval` is None with a single seed."""

    mean: float
    interval: list[float] | None
    values: list[float]


def t_quantile(degrees: int) -> float:
    """Returns Student's t at 97.5 %, at least 1 degree of freedom.

    Beyond 30 the first terms of the Cornish-Fisher expansion about the normal quantile are
    exact to four digits (Abramowitz & Stegun 26.7.5).
    """
    if degrees <= len(T_975):
        return T_975[degrees - 1]
    z = NORMAL_975
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / degrees + second / degrees**2


def estimate(
    values: Sequence[float], low: float = -math.inf, high: float = math.inf
) -> Estimate | None:
    """Returns mean ± t · s / √n with its 95 % interval; None for no values.

    Args:
        values: one per seed.
        low, high: bounds of the quantity, to which the interval is cut.
    """
    if not values:
        return None
    mean = fmean(values)
    if len(values) == 1:
        return {"mean": mean, "interval": None, "values": list(values)}
    half = t_quantile(len(values) - 1) * stdev(values) / math.sqrt(len(values))
    interval = [max(low, mean - half), min(high, mean + half)]
    return {"mean": mean, "interval": interval, "values": list(values)}
