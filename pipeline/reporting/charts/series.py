"""A curve, its band, and a vertical rule, as they are drawn into a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.reporting.charts.axes import Axis
from pipeline.reporting.charts.drawing import (
    EMPTY,
    WIDTH,
    Plot,
    dot,
    label,
    line,
    number,
    text_length,
)
from pipeline.reporting.units import format_figure, is_number

# With more points than this, discs would hide the line.
MAX_DOTS = 40


@dataclass(frozen=True)
class Series:
    """A curve. `points` are (x, y) in drawing order; a y of None, NaN or ±Inf is a gap.

    `band` are (x, low, high) in drawing order: an interval around the curve, drawn as a pale area.
    `color` is 1 to 7 (8 is the faint one); the page's style sheet defines --c1 … --c8.
    """

    name: str
    points: Sequence[tuple[float, float | None]]
    color: int = 1
    dashed: bool = False
    dots_only: bool = False
    band: Sequence[tuple[float, float | None, float | None]] = ()


@dataclass(frozen=True)
class Rule:
    """A vertical line at x, with a word beside it."""

    x: float
    text: str


def swatch_shape(series: Series) -> str:
    """How the legend shows a curve."""
    if series.dots_only:
        return "disc"
    return "dashed" if series.dashed else "line"


def split_at_gaps(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Runs of neighbouring points whose y is finite."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is not None and is_number(y):
            runs[-1].append((x, y))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def draw_series(plot: Plot, x_axis: Axis, y_axis: Axis, series: Series) -> Markup:
    """The band, the path broken at gaps, and discs where there are few points."""
    parts = [draw_band(plot, x_axis, y_axis, series)]
    dots = series.dots_only or len(series.points) <= MAX_DOTS
    points = [(x, y if y_axis.holds(y) else None) for x, y in series.points]
    for run in split_at_gaps(points):
        placed = [
            (x_axis.place(x, plot.left, plot.right), y_axis.place(y, plot.bottom, plot.top))
            for x, y in run
        ]
        if len(placed) > 1 and not series.dots_only:
            path = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in placed)
            kind = "line dashed" if series.dashed else "line"
            parts.append(Markup('<path d="{}" class="{} c{}"/>').format(path, kind, series.color))
        if dots or len(placed) == 1:
            radius = 3.5 if series.dots_only or len(placed) == 1 else 2.2
            for (x, y), (x_value, y_value) in zip(placed, run, strict=True):
                tip = f"{series.name}, {x_axis.title} {x_value:g}: {format_figure(y_value)}"
                parts.append(dot(x, y, radius, "disc", series.color, tip))
    return Markup("").join(parts)


def draw_band(plot: Plot, x_axis: Axis, y_axis: Axis, series: Series) -> Markup:
    """The pale area between the low and the high ends; points without both are left out."""
    whole = [
        (x_axis.place(x, plot.left, plot.right),
         y_axis.place(max(low, y_axis.low), plot.bottom, plot.top),
         y_axis.place(min(high, y_axis.high), plot.bottom, plot.top))
        for x, low, high in series.band
        if low is not None and high is not None and is_number(low) and is_number(high)
        and y_axis.holds(high)
    ]  # fmt: skip
    if len(whole) < 2:
        return EMPTY
    outline = [(x, high) for x, _, high in whole] + [(x, low) for x, low, _ in reversed(whole)]
    path = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in outline) + "Z"
    return Markup('<path d="{}" class="band c{}"/>').format(path, series.color)


def draw_rule(plot: Plot, x_axis: Axis, rule: Rule) -> Markup:
    """A vertical line whose word stands on the side that has room, above the plot."""
    x = x_axis.place(rule.x, plot.left, plot.right)
    drawn = line(x, plot.top - 6, x, plot.bottom, "rule")
    if not rule.text:
        return drawn
    anchor = "start" if x + text_length(rule.text) <= WIDTH else "end"
    return drawn + label(
        x + (4 if anchor == "start" else -4), plot.top - 14, rule.text, anchor, "tick"
    )
