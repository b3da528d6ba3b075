"""Histograms one under the other: the values of each layer's kernel, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.reporting.charts.drawing import (
    LINE_HEIGHT,
    WIDTH,
    LegendEntry,
    Plot,
    document,
    draw_legend,
    label,
    legend_rows,
    line,
    number,
    shorten,
    text_length,
)

STRIP_HEIGHT = 56.0
ROW_HEIGHT = STRIP_HEIGHT + 46.0


@dataclass(frozen=True)
class Histogram:
    """Counts in equal bins from `low` to `high`, low < high; `text` is what a pointer shows."""

    low: float
    high: float
    counts: Sequence[int]
    text: str = ""


@dataclass(frozen=True)
class Strip:
    """One row: a filled histogram, the outline of another to compare it with, and a figure."""

    name: str
    figure: str
    filled: Histogram | None
    outline: Histogram | None = None


def histogram_chart(
    key: str,
    title: str,
    description: str,
    strips: Sequence[Strip],
    *,
    filled_name: str,
    outline_name: str = "",
    filled_color: int = 4,
    outline_color: int = 1,
) -> Markup:
    """Draws one strip per row, each over its own axis with 0 in the middle of the labels.

    Args:
        key: unique in the page, for the ids of title and description.
        title, description: for screen readers.
        strips: from top to bottom; each histogram is scaled to its own highest bin.
        filled_name, outline_name: words of the legend; without an outline none is needed.
        filled_color, outline_color: numbers of series colours.

    Returns:
        Markup: one `<svg>` element.
    """
    entries = [LegendEntry(filled_name, filled_color, "box")]
    if any(strip.outline is not None for strip in strips):
        entries.append(LegendEntry(outline_name, outline_color, "line"))
    rows = legend_rows(entries)
    start = len(rows) * LINE_HEIGHT + 8
    parts = [draw_legend(rows)]
    for index, strip in enumerate(strips):
        top = start + index * ROW_HEIGHT + 20
        plot = Plot(0.0, top, WIDTH, top + STRIP_HEIGHT)
        parts.append(draw_strip(plot, strip, filled_color, outline_color))
    return document(
        key, title, description, start + ROW_HEIGHT * len(strips) - 8, Markup("").join(parts)
    )


def draw_strip(plot: Plot, strip: Strip, filled_color: int, outline_color: int) -> Markup:
    """Name and figure above, the two histograms, and the ends of the axis below."""
    room = WIDTH - text_length(strip.figure) - 12
    parts = [
        label(0, plot.top - 6, shorten(strip.name, room), "start", "rowname"),
        label(WIDTH, plot.top - 6, strip.figure, "end", "tick"),
    ]
    drawn = [one for one in (strip.filled, strip.outline) if one is not None]
    if drawn:
        low, high = min(one.low for one in drawn), max(one.high for one in drawn)
        if strip.filled is not None:
            parts.append(draw_steps(plot, strip.filled, low, high, f"hist c{filled_color}"))
        if strip.outline is not None:
            parts.append(draw_steps(plot, strip.outline, low, high, f"outline c{outline_color}"))
        for value, anchor in ((low, "start"), (high, "end")):
            x = plot.left if anchor == "start" else plot.right
            parts.append(
                label(x, plot.bottom + 15, f"{value:.3g}".replace("-", "−"), anchor, "tick")
            )
        if low < 0 < high:
            zero = plot.left + (0 - low) / (high - low) * (plot.right - plot.left)
            parts.append(line(zero, plot.bottom, zero, plot.bottom + 4, "axis"))
            parts.append(label(zero, plot.bottom + 15, "0", "middle", "tick"))
    parts.append(line(plot.left, plot.bottom, plot.right, plot.bottom, "axis"))
    return Markup("").join(parts)


def draw_steps(plot: Plot, histogram: Histogram, low: float, high: float, kind: str) -> Markup:
    """The outline of the bins, scaled to the highest; filled or not is the style sheet's."""
    highest = max(histogram.counts, default=0)
    if highest == 0:
        return Markup("")
    scale = (plot.right - plot.left) / (high - low)
    width = (histogram.high - histogram.low) / len(histogram.counts)
    points = []
    for index, count in enumerate(histogram.counts):
        y = plot.bottom - count / highest * (plot.bottom - plot.top)
        for edge in (index, index + 1):
            points.append((plot.left + (histogram.low + edge * width - low) * scale, y))
    path = f"M{number(points[0][0])} {number(plot.bottom)}" + "".join(
        f"L{number(x)} {number(y)}" for x, y in points
    )
    path += f"L{number(points[-1][0])} {number(plot.bottom)}"
    return Markup('<path d="{}" class="{}"><title>{}</title></path>').format(
        path, kind, histogram.text
    )
