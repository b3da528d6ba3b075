from __future__ import annotations

import math

import pytest

from pipeline.reporting.charts.axes import (
    format_percent_tick,
    format_tick,
    linear_axis,
    log_axis,
    round_step,
)


@pytest.mark.parametrize(
    ("span", "step"), [(10, 2), (5, 1), (0.05, 0.01), (2.2, 0.5), (26, 10), (1e-6, 2e-7)]
)
def test_round_step(span: float, step: float) -> None:
    assert round_step(span) == pytest.approx(step)


def test_ticks_are_round_and_hold_the_values() -> None:
    axis = linear_axis([0.13, 2.2])
    assert axis.ticks == pytest.approx((0.0, 0.5, 1.0, 1.5, 2.0, 2.5))
    assert axis.labels == ("0", "0.5", "1.0", "1.5", "2.0", "2.5")
    assert (axis.low, axis.high) == (0.0, 2.5)


def test_place_is_linear() -> None:
    axis = linear_axis([0, 10])
    assert axis.place(5, 100, 200) == 150
    assert axis.place(2, 200, 100) == 180


def test_whole_axis_keeps_its_ends_and_integers() -> None:
    axis = linear_axis([1, 3], whole=True, snap=False)
    assert (axis.low, axis.high, axis.labels) == (1, 3, ("1", "2", "3"))
    axis = linear_axis([1, 12], whole=True, snap=False)
    assert (axis.low, axis.high, axis.ticks) == (1, 12, (5, 10))


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, -3.0, 1e-9, 1e9])
def test_constant_series_lie_inside(value: float) -> None:
    axis = linear_axis([value, value])
    assert axis.low < value < axis.high
    assert len(axis.ticks) >= 2


def test_constant_at_a_bound_does_not_cross_it() -> None:
    assert linear_axis([1.0], floor=0.0, ceiling=1.0).high == 1.0
    assert linear_axis([0.0], floor=0.0, ceiling=1.0).low == 0.0
    # A bound that the data break is no bound.
    assert linear_axis([3.0], ceiling=1.0).high > 3.0


@pytest.mark.parametrize("values", [[], [None], [math.nan, math.inf, -math.inf]])
def test_no_finite_value_gives_a_usable_axis(values: list[float | None]) -> None:
    for axis in (linear_axis(values), log_axis(values)):
        assert axis.low < axis.high and len(axis.ticks) >= 2


def test_tick_labels() -> None:
    assert format_tick(0.30000000000000004, 0.1) == "0.3"
    assert format_tick(12_000, 2_000) == "12,000"
    assert format_tick(-5, 5) == "−5"
    assert format_tick(2e-5, 1e-5) == "2e-05"
    assert format_percent_tick(0.985, 0.005) == "98.5 %"
    assert format_percent_tick(1.0, 0.2) == "100 %"


def test_log_axis() -> None:
    axis = log_axis([15_000, 150_000])
    assert axis.ticks == (20_000, 50_000, 100_000)
    # Halfway in the logarithm: sqrt(low * high).
    assert axis.place(math.sqrt(axis.low * axis.high), 0, 100) == pytest.approx(50)


@pytest.mark.parametrize("values", [[150.0], [142e3, 155e3], [1.0, 1e9], [3.0, 0.0, -1.0]])
def test_log_axis_always_has_two_to_six_ticks(values: list[float]) -> None:
    axis = log_axis(values)
    assert 2 <= len(axis.ticks) <= 6
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
