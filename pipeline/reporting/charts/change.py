"""From a value before to a value after, one row each: recall of each class, float to shipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.reporting.charts.axes import Axis, LabelFormat, format_percent_tick, linear_axis
from pipeline.reporting.charts.drawing import (
    FAINT_COLOR,
    LINE_HEIGHT,
    WIDTH,
    LegendEntry,
    Plot,
    document,
    dot,
    draw_legend,
    draw_x_ticks,
    label,
    legend_rows,
    line,
    shorten,
    text_length,
)
from pipeline.reporting.units import is_number

ROW_HEIGHT = 22.0
NAME_LENGTH = 130.0
GAIN_COLOR, LOSS_COLOR = 3, 2


@dataclass(frozen=True)
class Change:
    """A row; `text` stands at its end. A value that is missing has no point."""

    name: str
    before: float | None
    after: float | None
    text: str


def change_chart(
    key: str,
    title: str,
    description: str,
    changes: Sequence[Change],
    *,
    x_title: str,
    before_name: str,
    after_name: str,
    x_format: LabelFormat = format_percent_tick,
    floor: float | None = 0.0,
    ceiling: float | None = 1.0,
    higher_is_better: bool = True,
) -> Markup:
    """Draws a ring (before), a disc (after) and what lies between them, one row per change.

    Args:
        key: unique in the page, for the ids of title and description.
        title, description: for screen readers.
        changes: from top to bottom.
        x_title: name and unit of the values.
        before_name, after_name: words of the legend.
        x_format: from (tick, step) to the label of a tick.
        floor, ceiling: the axis reaches no further.
        higher_is_better: which direction is drawn in the colour of a gain.

    Returns:
        Markup: one `<svg>` element.
    """
    values = [value for one in changes for value in (one.before, one.after)]
    x_axis = linear_axis(values, x_title, format_label=x_format, floor=floor, ceiling=ceiling)
    entries = [
        LegendEntry(before_name, FAINT_COLOR, "ring"),
        LegendEntry(f"{after_name}: same or better", GAIN_COLOR, "disc"),
        LegendEntry("worse", LOSS_COLOR, "disc"),
    ]
    rows = legend_rows(entries)
    names = [shorten(one.name, NAME_LENGTH) for one in changes]
    top = len(rows) * LINE_HEIGHT + 8
    left = max(map(text_length, names), default=0.0) + 14
    right = WIDTH - max((text_length(one.text) for one in changes), default=0.0) - 14
    plot = Plot(left, top, right, top + ROW_HEIGHT * len(changes) + 4)
    parts = [draw_legend(rows)]
    for tick in x_axis.ticks:
        x = x_axis.place(tick, plot.left, plot.right)
        parts.append(line(x, plot.top, x, plot.bottom, "grid"))
    parts.append(draw_x_ticks(plot, x_axis))
    parts.append(label((left + right) / 2, plot.bottom + 36, x_title, "middle", "name"))
    for row, (name, one) in enumerate(zip(names, changes, strict=True)):
        middle = plot.top + (row + 0.5) * ROW_HEIGHT + 2
        parts.append(label(0, middle + 4, name, "start", "rowname"))
        parts.append(draw_change(plot, x_axis, one, middle, higher_is_better))
        parts.append(label(WIDTH, middle + 4, one.text, "end", "figure"))
    return document(key, title, description, plot.bottom + 42, Markup("").join(parts))


def draw_change(
    plot: Plot, x_axis: Axis, change: Change, middle: float, higher_is_better: bool
) -> Markup:
    """Ring, line and disc of one row around the height `middle`."""
    parts = []
    places: list[float] = []
    color = GAIN_COLOR
    before, after = change.before, change.after
    if before is not None and after is not None and is_number(before) and is_number(after):
        worse = after < before if higher_is_better else after > before
        color = LOSS_COLOR if worse else GAIN_COLOR
    for value, shape, shade in ((before, "ring", FAINT_COLOR), (after, "disc", color)):
        if value is not None and is_number(value):
            x = x_axis.place(value, plot.left, plot.right)
            places.append(x)
            tip = f"{change.name}: {change.text}"
            parts.append(dot(x, middle, 5.0 if shape == "ring" else 3.6, shape, shade, tip))
    if len(places) == 2:
        parts.insert(0, line(places[0], middle, places[1], middle, "error", color))
    return Markup("").join(parts)
