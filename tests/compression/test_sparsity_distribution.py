"""Distributions of zeros over layers, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.compression.sparsity_distribution import (
    convex_below,
    lamp_scores,
    round_to_sum,
    zeros_by_erk,
    zeros_by_score,
    zeros_by_sensitivity,
)


def test_erk_by_hand() -> None:
    # Kernels 10×10, 10×40 and 40×5: 100, 400 and 200 weights, dimensions 20, 50 and 45. For 230
    # weights kept ε is 2: 40, 100, 90.
    sizes, dimensions = np.array([100, 400, 200]), np.array([20, 50, 45])
    found = zeros_by_erk(sizes, np.ones(3, np.int64), dimensions, 470)
    assert found.tolist() == [60, 300, 110]


def test_erk_keeps_a_layer_dense_whose_density_would_exceed_1() -> None:
    # Kept: 200 of 420. ε = 200 / 70 asks 57 of the 20 weights of the first: it stays dense, and
    # the others share 180 as 1 : 2.
    found = zeros_by_erk(
        np.array([20, 200, 200]), np.ones(3, np.int64), np.array([20, 20, 40]), 220
    )
    assert found.tolist() == [0, 140, 80]


def test_erk_keeps_the_least() -> None:
    sizes, least = np.array([100, 100]), np.array([30, 1])
    found = zeros_by_erk(sizes, least, np.array([10, 10]), 160)
    assert found.tolist() == [70, 90], "20 each, but the first keeps 30"


def test_one_threshold_over_all_layers() -> None:
    scores = [np.array([0.1, 0.9, 0.2]), np.array([0.3, 0.15, 0.8, 0.7])]
    assert zeros_by_score(scores, np.array([1, 1]), 3).tolist() == [2, 1]
    assert zeros_by_score(scores, np.array([1, 1]), 0).tolist() == [0, 0]


def test_no_layer_loses_all() -> None:
    scores = [np.array([0.1, 0.11, 0.12]), np.array([5.0, 6.0, 7.0])]
    assert zeros_by_score(scores, np.array([1, 2]), 3).tolist() == [2, 1]


def test_equal_scores_at_the_threshold_fill_up_exactly() -> None:
    scores = [np.array([0.0, 1.0, 1.0, 2.0]), np.array([1.0, 1.0, 3.0])]
    assert zeros_by_score(scores, np.array([1, 1]), 4).tolist() == [3, 1]


def test_lamp_by_hand() -> None:
    # Squares 9, 4, 1, 0: 9/9, 4/13, 1/14, 0/14.
    found = lamp_scores(np.array([1.0, 3.0, 0.0, 2.0], np.float32))
    assert found == pytest.approx([1 / 14, 1.0, 0.0, 4 / 13])
    assert lamp_scores(np.zeros(2)).tolist() == [0.0, 0.0]


def test_lamp_does_not_depend_on_a_layers_scale() -> None:
    magnitudes = np.array([0.5, 2.0, 1.0])
    np.testing.assert_allclose(lamp_scores(magnitudes), lamp_scores(1000 * magnitudes))


def test_sensitivity_takes_the_flattest_steps_first() -> None:
    # Slopes: 0.1 and 0.9 a weight; 0.2 and 0.3.
    curves = [{10: 1.0, 20: 10.0}, {10: 2.0, 20: 5.0}]
    assert zeros_by_sensitivity(curves, 10).tolist() == [10, 0]
    assert zeros_by_sensitivity(curves, 25).tolist() == [10, 15]
    assert zeros_by_sensitivity(curves, 33).tolist() == [13, 20]


def test_a_curve_that_falls_or_saturates_is_replaced_by_the_convex_one_below() -> None:
    assert convex_below([(0, 0.0), (10, 4.0), (20, 5.0), (30, 6.0)]) == [(0, 0.0), (30, 6.0)]
    assert convex_below([(0, 0.0), (10, -1.0), (20, 3.0)]) == [(0, -1.0), (10, -1.0), (20, 3.0)]
    # Without the replacement the first layer's late, flat part could never be reached.
    assert zeros_by_sensitivity([{10: 4.0, 30: 6.0}, {30: 9.0}], 30).tolist() == [30, 0]


def test_rounding_meets_the_sum_within_the_bounds() -> None:
    low, high = np.array([0, 0, 3]), np.array([9, 9, 9])
    assert round_to_sum(np.array([1.6, 2.5, 3.0]), low, high, 7).tolist() == [2, 2, 3]
    assert round_to_sum(np.array([1.6, 2.5, 3.0]), low, high, 5).tolist() == [1, 1, 3]
