"""Axes: from the values of a chart to a domain, ticks on round numbers and pixel positions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipeline.reporting.units import is_number

LabelFormat = Callable[[float, float], str]

# Ticks stay readable on a phone with about this many intervals.
TARGET_INTERVALS = 5
MAX_LOG_TICKS = 6
# At least this from end to end, so that two of 1, 2, 5 × 10^k always lie inside.
MIN_LOG_RATIO = 6.5


@dataclass(frozen=True)
class Axis:
    """A domain [low, high] with low < high, and its ticks with their labels."""

    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    title: str = ""
    logarithmic: bool = False

    def place(self, value: float, start: float, end: float) -> float:
        """Pixel of a value when `low` lies at `start` and `high` at `end`."""
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return start + (value - low) / (high - low) * (end - start)

    def holds(self, value: float | None) -> bool:
        """False for what has no place: no number, and 0 or less on a logarithmic axis."""
        return value is not None and is_number(value) and not (self.logarithmic and value <= 0)


def round_step(span: float, intervals: int = TARGET_INTERVALS) -> float:
    """The smallest of 1, 2, 5 × 10^k that cuts `span` > 0 into at most `intervals` pieces."""
    rough = span / intervals
    power = 10.0 ** math.floor(math.log10(rough))
    # 1e-9 forgives what the division lost, so that 5 / 5 gives 1 and not 2.
    return next(f * power for f in (1, 2, 5, 10) if f * power >= rough * (1 - 1e-9))


def format_tick(value: float, step: float) -> str:
    """A tick with just the decimals its step needs: 0.25 by 0.05, 12,000 by 2,000, 2e-05."""
    if value == 0:
        return "0"
    if abs(value) < 1e-4 or abs(value) >= 1e7:
        return f"{value:.3g}"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:,.{decimals}f}".replace("-", "−")


def format_percent_tick(value: float, step: float) -> str:
    """A fraction as per cent with just the decimals its step needs."""
    return f"{format_tick(100 * value, 100 * step)} %"


def finite_range(
    values: Iterable[float | None], fallback: tuple[float, float]
) -> tuple[float, float]:
    """Smallest and largest finite value, or the fallback when there is none."""
    finite = [value for value in values if value is not None and is_number(value)]
    return (min(finite), max(finite)) if finite else fallback


def linear_axis(
    values: Iterable[float | None],
    title: str = "",
    *,
    format_label: LabelFormat = format_tick,
    floor: float | None = None,
    ceiling: float | None = None,
    whole: bool = False,
    snap: bool = True,
    intervals: int = TARGET_INTERVALS,
) -> Axis:
    """An axis whose domain holds all finite values.

    Args:
        values: what will be drawn; None, NaN and ±Inf are left out.
        title: name and unit.
        format_label: from (tick, step) to text.
        floor, ceiling: bounds of the quantity (0 for counts, 1 for fractions); the room that is
            made around a constant series does not go beyond them.
        whole: ticks on integers only (epochs, steps, trials).
        snap: stretch the domain to ticks at both ends; off for time-like axes.
        intervals: between ticks at most about so many.
    """
    low, high = finite_range(values, (0.0, 1.0))
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        # A constant series lies in the middle of a domain around it.
        margin = 1.0 if whole else abs(low) * 0.1 or 1.0
        low, high = low - margin, high + margin
        low = max(low, floor) if floor is not None and floor <= low + margin else low
        high = min(high, ceiling) if ceiling is not None and ceiling >= high - margin else high
    step = round_step(high - low, intervals)
    step = max(1.0, step) if whole else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if snap:
        low, high = first * step, last * step
    # Multiples of the step, not repeated additions: 3 × 0.1 must not drift away from 0.3.
    ticks = [
        i * step for i in range(first, last + 1)
        if low - step * 1e-6 <= i * step <= high + step * 1e-6
    ]  # fmt: skip
    labels = tuple(format_label(tick, step) for tick in ticks)
    return Axis(low, high, tuple(ticks), labels, title)


def log_axis(
    values: Iterable[float | None],
    title: str = "",
    *,
    format_label: Callable[[float], str] = lambda value: f"{value:g}",
    max_ticks: int = MAX_LOG_TICKS,
) -> Axis:
    """A logarithmic axis over the positive finite values, with some room at both ends.

    Ticks are 1, 2, 5 × 10^k, or 10^k alone where these are too many.
    """
    positive = (value for value in values if value is not None and is_number(value) and value > 0)
    low, high = finite_range(positive, (1.0, 10.0))
    spread = math.log(high / low)
    room = max(0.06 * spread, (math.log(MIN_LOG_RATIO) - spread) / 2)
    low, high = low * math.exp(-room), high * math.exp(room)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [f * 10.0**k for k in decades for f in factors if low <= f * 10.0**k <= high]
        if len(ticks) <= max_ticks:
            break
    else:
        ticks = ticks[:: math.ceil(len(ticks) / max_ticks)]
    return Axis(low, high, tuple(ticks), tuple(map(format_label, ticks)), title, True)
