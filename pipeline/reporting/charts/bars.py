"""Horizontal bars: a quantity per layer or stage, with a mark where it should have come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.reporting.charts.axes import Axis, LabelFormat, format_tick, linear_axis
from pipeline.reporting.charts.drawing import (
    EMPTY,
    FAINT_COLOR,
    LINE_HEIGHT,
    WIDTH,
    LegendEntry,
    Plot,
    box,
    document,
    draw_legend,
    draw_x_ticks,
    label,
    legend_rows,
    line,
    shorten,
    text_length,
)
from pipeline.reporting.units import is_number

ROW_HEIGHT = 24.0
# A name that does not fit beside its bar stands on a line of its own above it.
NAME_HEIGHT = 18.0
BAR_HEIGHT = 14.0
MAX_LABEL_SHARE = 0.38


@dataclass(frozen=True)
class Bar:
    """A bar from 0 to `value`; `text` stands at its end, `mark` is a target on the same scale."""

    name: str
    value: float | None
    text: str
    mark: float | None = None
    faint: bool = False


def bar_chart(
    key: str,
    title: str,
    description: str,
    bars: Sequence[Bar],
    *,
    x_title: str,
    x_format: LabelFormat = format_tick,
    ceiling: float | None = None,
    mark_name: str = "",
    faint_name: str = "",
    bar_name: str = "",
    color: int = 1,
) -> Markup:
    """Draws one row per bar, in the given order.

    Args:
        key: unique in the page, for the ids of title and description.
        title, description: for screen readers.
        bars: values ≥ 0; one without a finite value keeps its row and its text.
        x_title: name and unit of the values.
        x_format: from (tick, step) to the label of a tick.
        ceiling: end of the axis (1 for fractions); None ends it after the largest value.
        bar_name, mark_name, faint_name: words of the legend, which is left out without them.

    Returns:
        Markup: one `<svg>` element.
    """
    values = [value for bar in bars for value in (bar.value, bar.mark)]
    x_axis = linear_axis([0.0, *values, ceiling], x_title, format_label=x_format, floor=0.0)
    entries = [LegendEntry(bar_name, color, "box")] if bar_name else []
    if faint_name and any(bar.faint for bar in bars):
        entries.append(LegendEntry(faint_name, FAINT_COLOR, "box"))
    if mark_name and any(is_number(bar.mark) for bar in bars):
        entries.append(LegendEntry(mark_name, 0, "mark"))
    rows = legend_rows(entries)
    top = len(rows) * LINE_HEIGHT + 8
    names = max((text_length(bar.name) for bar in bars), default=0.0)
    lift = NAME_HEIGHT if names > WIDTH * MAX_LABEL_SHARE else 0.0
    left = 0.0 if lift else names + 8
    right = WIDTH - max((text_length(bar.text) for bar in bars), default=0.0) - 8
    plot = Plot(left, top, right, top + (ROW_HEIGHT + lift) * len(bars) + 4)
    parts = [draw_legend(rows)]
    for tick in x_axis.ticks:
        x = x_axis.place(tick, plot.left, plot.right)
        parts.append(line(x, plot.top, x, plot.bottom, "grid"))
    parts.append(draw_x_ticks(plot, x_axis))
    middle = (plot.left + plot.right) / 2
    parts.append(label(middle, plot.bottom + 36, x_title, "middle", "name"))
    for row, bar in enumerate(bars):
        middle = plot.top + row * (ROW_HEIGHT + lift) + lift + ROW_HEIGHT / 2 + 2
        if lift:
            parts.append(label(0, middle - 13, shorten(bar.name, WIDTH), "start", "rowname"))
        else:
            parts.append(label(plot.left - 8, middle + 4, bar.name, "end", "rowname"))
        parts.append(draw_bar(plot, x_axis, bar, middle, color))
    return document(key, title, description, plot.bottom + 42, Markup("").join(parts))


def draw_bar(plot: Plot, x_axis: Axis, bar: Bar, middle: float, color: int) -> Markup:
    """A bar around the height `middle`, its target mark, and the figure behind them."""
    parts = [EMPTY]
    end = plot.left
    if bar.value is not None and is_number(bar.value):
        end = x_axis.place(bar.value, plot.left, plot.right)
        shade = FAINT_COLOR if bar.faint else color
        top, tip = middle - BAR_HEIGHT / 2, f"{bar.name}: {bar.text}"
        parts.append(box(plot.left, top, end - plot.left, BAR_HEIGHT, shade, tip))
    if bar.mark is not None and is_number(bar.mark):
        x = x_axis.place(bar.mark, plot.left, plot.right)
        parts.append(line(x, middle - ROW_HEIGHT / 2 + 2, x, middle + ROW_HEIGHT / 2 - 2, "mark"))
        end = max(end, x)
    parts.append(label(end + 6, middle + 4, bar.text, "start", "figure"))
    return Markup("").join(parts)
