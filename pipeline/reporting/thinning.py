"""Fewer points for a curve that is longer than a screen is wide."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from pipeline.reporting.units import is_number

Point = tuple[float, float]

# About two points per pixel of a chart: more cannot be seen.
MAX_POINTS = 600
# Relative; rates are recorded as float32, whose rounding must not look like a corner.
TOLERANCE = 1e-6


def thin_curve(points: Sequence[Point], max_points: int = MAX_POINTS) -> list[Point]:
    """Leaves out points that the drawn curve does not need.

    First the inner points of straight pieces, which loses nothing (a constant or stepwise
    schedule keeps its corners). If that is not enough, each of `max_points / 2` stretches keeps
    its lowest and highest point, so that a spike is never lost. First and last point stay.

    Args:
        points: (x, y) with x rising; a y that is not finite is kept as it is.
        max_points: length aimed at, ≥ 4.

    Returns:
        list of points from `points`, in order, at most `max_points + 2` long.
    """
    corners = drop_straight(points)
    if len(corners) <= max_points:
        return corners
    kept = [corners[0]]
    buckets = max_points // 2
    for index in range(buckets):
        start = index * len(corners) // buckets
        bucket = corners[start : (index + 1) * len(corners) // buckets]
        finite = [i for i, point in enumerate(bucket) if is_number(point[1])] or [0]
        heights = {i: bucket[i][1] for i in finite}
        extremes = {min(finite, key=heights.__getitem__), max(finite, key=heights.__getitem__)}
        kept += [bucket[i] for i in sorted(extremes)]
    kept.append(corners[-1])
    return [point for i, point in enumerate(kept) if i == 0 or point[0] > kept[i - 1][0]]


def drop_straight(points: Sequence[Point]) -> list[Point]:
    """Leaves out the points that the line between the kept ones meets anyway.

    From the last kept point, each point passed over narrows the slopes that still meet all of
    them; where the next point lies outside, the one before it is a corner and is kept.
    """
    if len(points) < 3:
        return list(points)
    kept = [points[0]]
    low, high = -math.inf, math.inf
    for point, following in itertools.pairwise(points[1:]):
        if is_number(kept[-1][1]) and is_number(point[1]) and is_number(following[1]):
            tolerance = TOLERANCE * abs(point[1])
            low = max(low, slope(kept[-1], point, -tolerance))
            high = min(high, slope(kept[-1], point, tolerance))
            if low <= slope(kept[-1], following) <= high:
                continue
        kept.append(point)
        low, high = -math.inf, math.inf
    return [*kept, points[-1]]


def slope(start: Point, end: Point, lift: float = 0.0) -> float:
    """Slope of the line from start to end, after end was lifted."""
    return (end[1] + lift - start[1]) / (end[0] - start[0])
