"""Ranges of activations, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.compression.ranges import (
    ObservedValues,
    count_in_bins,
    least_error_range,
    percentile_range,
    squared_error,
)
from pipeline.errors import ConfigError


def observed(low: float, high: float, counts: list[int], zeros: int = 0) -> ObservedValues:
    return ObservedValues(low, high, np.array(counts), zeros)


def test_values_are_counted_in_bins_without_zeros() -> None:
    values = np.array([[-1.0, -0.4, 0.0], [0.0, 0.4, 1.0]], np.float32)
    assert count_in_bins(values, -1.0, 1.0, 4).tolist() == [1, 1, 1, 1]
    # Outside: in the first and the last bin.
    assert count_in_bins(np.array([-9.0, 9.0]), -1.0, 1.0, 4).tolist() == [1, 0, 0, 1]


def test_percentiles_are_linear_within_a_bin() -> None:
    # 10 values in each unit from 0 to 10: 95 % of them end at 9.5. 1,000 zeros do not count.
    flat = observed(0.0, 10.0, [10] * 10, zeros=1000)
    assert percentile_range(flat, 95.0) == pytest.approx((0.0, 9.5))
    assert percentile_range(flat, 100.0) == (0.0, 10.0)


def test_percentiles_of_both_signs() -> None:
    both = observed(-5.0, 5.0, [10] * 10)
    assert percentile_range(both, 95.0) == pytest.approx((-4.5, 4.5))


def test_a_percentile_steps_over_empty_bins() -> None:
    # 98 values up to 1, then nothing, then 2 between 9 and 10.
    gap = observed(0.0, 10.0, [98, 0, 0, 0, 0, 0, 0, 0, 0, 2])
    assert percentile_range(gap, 98.0) == pytest.approx((0.0, 1.0))
    assert percentile_range(gap, 99.0) == pytest.approx((0.0, 9.5))
    mirrored = observed(-10.0, 0.0, [2, 0, 0, 0, 0, 0, 0, 0, 0, 98])
    assert percentile_range(mirrored, 98.0) == pytest.approx((-1.0, 0.0))


def test_zero_is_always_inside() -> None:
    positive = observed(0.0, 4.0, [0, 0, 0, 100])  # all between 3 and 4
    assert percentile_range(positive, 90.0) == pytest.approx((0.0, 3.9))
    assert percentile_range(observed(0.0, 0.0, [0, 0], zeros=9), 90.0) == (0.0, 0.0)


@pytest.mark.parametrize("percentile", [50.0, 100.1, -1.0])
def test_a_percentile_outside_is_refused(percentile: float) -> None:
    with pytest.raises(ConfigError, match=r"expected above 50 and at most 100"):
        percentile_range(observed(0.0, 1.0, [1]), percentile)


def test_the_squared_error_is_rounding_inside_and_distance_outside() -> None:
    # Bins of 1, middles 0.5, 1.5, 2.5, 3.5. Three steps from 0 to 3: rounding costs 1 / 12.
    values = observed(0.0, 4.0, [6, 3, 2, 1])
    assert squared_error(values, 0.0, 3.0, steps=3) == pytest.approx(11 / 12 + 0.5**2)
    # Two steps from 0 to 2: 4 / 4 / 12 for nine values, two are cut by 0.5, one by 1.5.
    assert squared_error(values, 0.0, 2.0, steps=2) == pytest.approx(9 / 12 + 2 * 0.25 + 2.25)


def test_zeros_cost_nothing() -> None:
    without, withal = observed(0.0, 4.0, [6, 3, 2, 1]), observed(0.0, 4.0, [6, 3, 2, 1], 1000)
    assert squared_error(without, 0.0, 2.0) == squared_error(withal, 0.0, 2.0)


def test_an_outlier_is_cut_off_when_there_are_few_steps() -> None:
    counts = np.zeros(1000, np.int64)
    counts[:100] = 10_000  # a million values up to 1 …
    counts[-1] = 1  # … and one at 10
    low, high = least_error_range(ObservedValues(0.0, 10.0, counts, 0), steps=15)
    assert low == 0.0
    # 2^(-1/16) steps: the end lies behind the bulk, far below the outlier.
    assert 0.9 < high < 1.6
    # With 65,535 steps rounding costs next to nothing, and nothing is cut off.
    assert least_error_range(ObservedValues(0.0, 10.0, counts, 0), steps=65535) == (0.0, 10.0)


def test_each_side_is_cut_for_itself() -> None:
    counts = np.zeros(2000, np.int64)
    counts[900:1100] = 10_000  # from -1 to 1
    counts[0] = 1  # one at -10, none at 10
    low, high = least_error_range(ObservedValues(-10.0, 10.0, counts, 0), steps=15)
    assert -1.6 < low < -0.9
    assert 0.9 < high < 1.6
    assert least_error_range(observed(0.0, 0.0, [0])) == (0.0, 0.0)


def test_the_error_is_that_of_really_rounded_values() -> None:
    values = np.random.default_rng(0).normal(size=200_000)
    values[:2] = -40, 60
    found = ObservedValues(-40.0, 60.0, count_in_bins(values, -40.0, 60.0), 0)
    ends = least_error_range(found, steps=31)
    predicted = [squared_error(found, *pair, steps=31) for pair in (ends, (-40.0, 60.0))]
    true = [np.square(values - rounded(values, *pair, 31)).sum() for pair in (ends, (-40.0, 60.0))]
    assert predicted[0] < 0.2 * predicted[1]
    assert true[0] < 0.2 * true[1]
    assert true[0] == pytest.approx(predicted[0], rel=0.05)


def rounded(values: np.ndarray, low: float, high: float, steps: int) -> np.ndarray:
    step = (high - low) / steps
    return np.clip(np.rint((values - low) / step), 0, steps) * step + low
