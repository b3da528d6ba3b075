"""Parallel coordinates: every trial of a search as one line through all its settings.

The axes lie one under the other, so that long names and many settings fit a narrow screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.reporting.charts.axes import Axis
from pipeline.reporting.charts.drawing import (
    EMPTY,
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

ROW_HEIGHT = 70.0
# Room for the place of a value that a trial does not have.
MISSING_WIDTH = 58.0
# An axis label must not stick out on the left.
SIDE = 22.0
# What lies under what: the best trial is never covered.
KIND_ORDER = ("failed", "rest", "top", "best")
THREAD_NAMES = (("best", "best"), ("top", "top quarter"), ("rest", "other"), ("failed", "failed"))


@dataclass(frozen=True)
class Dimension:
    """One setting: its axis, and the value of each trial (None: the trial does not have it)."""

    name: str
    axis: Axis
    values: Sequence[float | None]
    missing: str = "not set"


@dataclass(frozen=True)
class Thread:
    """How one trial is drawn: "best", "top", "rest" or "failed"; `text` is its tip."""

    kind: str
    text: str


def parallel_chart(
    key: str,
    title: str,
    description: str,
    dimensions: Sequence[Dimension],
    threads: Sequence[Thread],
    *,
    names: Sequence[tuple[str, str]] = THREAD_NAMES,
) -> Markup:
    """Draws one line per trial from the first axis down to the last.

    Args:
        key: unique in the page, for the ids of title and description.
        title, description: for screen readers.
        dimensions: at least one, from top to bottom; the last is usually the objective. Each
            has one value per thread.
        threads: one per trial; the best is drawn last, over the others.
        names: (kind, word) of the legend; kinds that do not occur are left out.

    Returns:
        Markup: one `<svg>` element.
    """
    kinds = {thread.kind for thread in threads}
    entries = [LegendEntry(word, 0, f"thread {kind}") for kind, word in names if kind in kinds]
    rows = legend_rows(entries)
    gaps = any(value is None for one in dimensions for value in one.values)
    right = WIDTH - SIDE - (MISSING_WIDTH if gaps else 0.0)
    top = len(rows) * LINE_HEIGHT + 26
    parts = [draw_legend(rows)]
    heights = [top + index * ROW_HEIGHT for index in range(len(dimensions))]
    order = sorted(range(len(threads)), key=lambda i: KIND_ORDER.index(threads[i].kind))
    for index in order:
        places = [
            (place_value(one, index, right), y) for one, y in zip(dimensions, heights, strict=True)
        ]
        parts.append(draw_thread(places, threads[index]))
    for one, y in zip(dimensions, heights, strict=True):
        parts.append(draw_dimension(one, Plot(SIDE, y, right, y)))
    return document(key, title, description, heights[-1] + 24, Markup("").join(parts))


def place_value(dimension: Dimension, index: int, right: float) -> float:
    """Where a trial crosses an axis; behind its end where it has no value."""
    value = dimension.values[index]
    if value is None or not dimension.axis.holds(value):
        return right + MISSING_WIDTH - 14
    return dimension.axis.place(value, SIDE, right)


def draw_thread(places: Sequence[tuple[float, float]], thread: Thread) -> Markup:
    """The line of one trial; a single axis gets a short mark."""
    if len(places) == 1:
        ((x, y),) = places
        places = [(x, y - 8), (x, y + 8)]
    path = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in places)
    return Markup('<path d="{}" class="thread {}"><title>{}</title></path>').format(
        path, thread.kind, thread.text
    )


def draw_dimension(dimension: Dimension, plot: Plot) -> Markup:
    """An axis with its name above and its ticks below, and the place of missing values."""
    y = plot.top
    parts = [line(plot.left, y, plot.right, y, "axis")]
    room = plot.right if any(v is None for v in dimension.values) else WIDTH
    parts.append(label(0, y - 10, shorten(dimension.name, room), "start", "rowname halo"))
    free = float("-inf")
    for tick, text in zip(dimension.axis.ticks, dimension.axis.labels, strict=True):
        x = dimension.axis.place(tick, plot.left, plot.right)
        parts.append(line(x, y - 3, x, y + 3, "axis"))
        half = text_length(text) / 2
        centre = min(max(x, half), WIDTH - half)
        if centre - half > free:
            parts.append(label(centre, y + 17, text, "middle", "tick halo"))
            free = centre + half + 6
    if any(value is None for value in dimension.values):
        x = plot.right + MISSING_WIDTH - 14
        parts.append(line(x - 8, y, x + 8, y, "axis"))
        parts.append(label(WIDTH, y - 10, dimension.missing, "end", "tick halo"))
    return Markup("").join(parts) if parts else EMPTY
