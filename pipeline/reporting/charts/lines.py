"""Line charts: curves over epochs, steps or trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.reporting.charts.axes import Axis, LabelFormat, format_tick, linear_axis
from pipeline.reporting.charts.drawing import (
    EMPTY,
    LINE_HEIGHT,
    WIDTH,
    LegendEntry,
    Plot,
    document,
    dot,
    draw_axes,
    draw_legend,
    empty_note,
    label,
    left_margin,
    legend_rows,
    line,
    number,
    text_length,
)
from pipeline.reporting.units import format_figure, is_number

PLOT_HEIGHT = 170.0
# With more points than this, discs would hide the line.
MAX_DOTS = 40


@dataclass(frozen=True)
class Series:
    """A curve. `points` are (x, y) in drawing order; a y of None, NaN or ±Inf is a gap."""

    name: str
    points: Sequence[tuple[float, float | None]]
    color: int = 1
    dashed: bool = False
    dots_only: bool = False


@dataclass(frozen=True)
class Rule:
    """A vertical line at x, with a word beside it."""

    x: float
    text: str


def line_chart(
    key: str,
    title: str,
    description: str,
    series: Sequence[Series],
    *,
    x_title: str,
    y_title: str,
    y_format: LabelFormat = format_tick,
    floor: float | None = None,
    ceiling: float | None = None,
    from_zero: bool = False,
    rules: Sequence[Rule] = (),
) -> Markup:
    """Draws curves over a whole-numbered horizontal axis.

    Args:
        key: unique in the page, for the ids of title and description.
        title, description: for screen readers.
        series: the curves; one of a single point is drawn as a disc.
        x_title, y_title: names of the axes, with their units.
        y_format: from (tick, step) to the label of a tick.
        floor, ceiling: the vertical axis reaches no further (0 for a loss, 1 for a fraction).
        from_zero: the vertical axis starts at 0 whatever the values are.
        rules: vertical lines, such as the best epoch.

    Returns:
        Markup: one `<svg>` element.
    """
    xs = [x for one in series for x, y in one.points if is_number(y)] + [rule.x for rule in rules]
    ys = [y for one in series for _, y in one.points]
    x_axis = linear_axis(xs, x_title, whole=True, snap=False)
    shown = [*ys, 0.0] if from_zero else ys
    y_axis = linear_axis(shown, y_title, format_label=y_format, floor=floor, ceiling=ceiling)
    entries = [LegendEntry(one.name, one.color, swatch_shape(one)) for one in series]
    rows = legend_rows(entries if len(entries) > 1 else [])
    top = len(rows) * LINE_HEIGHT + 29
    plot = Plot(left_margin(y_axis), top, WIDTH - 8, top + PLOT_HEIGHT)
    parts = [draw_legend(rows), draw_axes(plot, x_axis, y_axis)]
    parts += [draw_rule(plot, x_axis, rule) for rule in rules]
    parts += [draw_series(plot, x_axis, y_axis, one) for one in series]
    if not any(is_number(y) for y in ys):
        parts.append(empty_note(plot))
    return document(key, title, description, plot.bottom + 42, Markup("").join(parts))


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
    """The path of a curve, broken at gaps, and discs where there are few points."""
    parts = [EMPTY]
    dots = series.dots_only or len(series.points) <= MAX_DOTS
    for run in split_at_gaps(series.points):
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


def draw_rule(plot: Plot, x_axis: Axis, rule: Rule) -> Markup:
    """A vertical line whose word stands on the side that has room, above the plot."""
    x = x_axis.place(rule.x, plot.left, plot.right)
    length = text_length(rule.text)
    anchor = "start" if x + length <= WIDTH else "end"
    return line(x, plot.top - 6, x, plot.bottom, "rule") + label(
        x + (4 if anchor == "start" else -4), plot.top - 14, rule.text, anchor, "tick"
    )
