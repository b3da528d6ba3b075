from __future__ import annotations

import itertools
import math

import numpy as np

from pipeline.reporting.thinning import drop_straight, thin_curve


def test_straight_lines_keep_their_ends() -> None:
    assert drop_straight([(x, 2.0 * x) for x in range(100)]) == [(0, 0.0), (99, 198.0)]


def test_a_staircase_keeps_both_corners_of_each_step() -> None:
    points = [(x, float(x // 10)) for x in range(30)]
    assert drop_straight(points) == [
        (0, 0.0), (9, 0.0), (10, 1.0), (19, 1.0), (20, 2.0), (29, 2.0),
    ]  # fmt: skip


def test_float32_rounding_is_no_corner() -> None:
    points = [(x, float(np.float32(0.001 * x / 68))) for x in range(69)]
    assert drop_straight(points) == [points[0], points[-1]]


def test_a_slow_bend_does_not_drift_away() -> None:
    points = [(x, 1.0 + 1e-7 * x * x) for x in range(1000)]
    kept = drop_straight(points)
    drawn = np.interp([x for x, _ in points], [x for x, _ in kept], [y for _, y in kept])
    assert np.max(np.abs(drawn - [y for _, y in points])) < 1e-5


def test_a_spike_survives_thinning() -> None:
    rng = np.random.default_rng(0)
    points = [(x, float(y)) for x, y in enumerate(rng.normal(size=20_000))]
    points[7777] = (7777, 50.0)
    thin = thin_curve(points, 200)
    assert (7777, 50.0) in thin
    assert len(thin) <= 202
    assert thin[0] == points[0] and thin[-1] == points[-1]
    assert all(before[0] < after[0] for before, after in itertools.pairwise(thin))


def test_short_and_broken_curves_are_kept() -> None:
    assert thin_curve([(0, 1.0)]) == [(0, 1.0)]
    points = [(0, 1.0), (1, math.nan), (2, 1.0), (3, None), (4, 1.0)]
    assert thin_curve(points) == points
