"""Scatter charts, such as size against accuracy: error bars, a ring for a second place on x."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.reporting.charts.axes import (
    Axis,
    LabelFormat,
    format_percent_tick,
    linear_axis,
    log_axis,
)
from pipeline.reporting.charts.drawing import (
    EMPTY,
    FAINT_COLOR,
    WIDTH,
    LegendEntry,
    Plot,
    document,
    dot,
    draw_frame,
    empty_note,
    label,
    line,
    text_length,
)
from pipeline.reporting.units import format_bytes, is_number

PLOT_HEIGHT = 230.0
BOX_HEIGHT = 14.0
# Among more points than this a name that finds no free place is left out.
CROWD = 5

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Dot:
    """A point, such as a file: x its compressed and `ring_x` its raw size, y with [low, high].

    `text` and `ring_text` are what a pointer held over it shows; by default bytes and per cent.
    """

    name: str
    x: float
    ring_x: float | None
    y: float | None
    low: float | None = None
    high: float | None = None
    color: int = 1
    text: str = ""
    ring_text: str = ""


def short_bytes(count: float) -> str:
    """A round number of bytes without needless decimals: 20 KB."""
    return format_bytes(count).replace(".0 ", " ")


def scatter_chart(
    key: str,
    title: str,
    description: str,
    dots: Sequence[Dot],
    *,
    x_title: str,
    y_title: str,
    disc_name: str,
    ring_name: str,
    x_format: Callable[[float], str] = short_bytes,
    y_format: LabelFormat = format_percent_tick,
    floor: float | None = 0.0,
    ceiling: float | None = 1.0,
    legend: Sequence[LegendEntry] = (),
) -> Markup:
    """Draws points with error bars over a logarithmic axis; by default bytes and per cent.

    Args:
        key: unique in the page, for the ids of title and description.
        title, description: for screen readers.
        dots: the points; those without a finite, positive place are left out.
        x_title, y_title: names of the axes.
        disc_name, ring_name: what the filled and the hollow points stand for.
        x_format: from a tick to its label.
        y_format: from (tick, step) to the label of a tick.
        floor, ceiling: the vertical axis reaches no further; None where there is no bound.
        legend: entries of the caller's, such as what the colours stand for; they come first.

    Returns:
        Markup: one `<svg>` element.
    """
    shown = [one for one in dots if is_number(one.y) and is_number(one.x) and one.x > 0]
    x_axis = log_axis(
        [size for one in shown for size in (one.x, one.ring_x)], x_title, format_label=x_format
    )
    y_axis = linear_axis(
        [value for one in shown for value in (one.low, one.y, one.high)],
        y_title,
        format_label=y_format,
        floor=floor,
        ceiling=ceiling,
    )
    entries = [*legend, LegendEntry(disc_name, FAINT_COLOR if legend else 1, "disc")]
    if any(is_number(one.ring_x) for one in shown):
        entries.append(LegendEntry(ring_name, FAINT_COLOR if legend else 1, "ring"))
    plot, frame = draw_frame(entries, x_axis, y_axis, PLOT_HEIGHT)
    parts = [frame, *(draw_dot(plot, x_axis, y_axis, one) for one in shown)]
    parts.append(draw_names(plot, x_axis, y_axis, shown) if shown else empty_note(plot))
    return document(key, title, description, plot.bottom + 42, Markup("").join(parts))


def draw_dot(plot: Plot, x_axis: Axis, y_axis: Axis, one: Dot) -> Markup:
    """A disc with its error bar, and a line to the ring at its other size."""
    assert one.y is not None  # the caller left out those without
    x = x_axis.place(one.x, plot.left, plot.right)
    y = y_axis.place(one.y, plot.bottom, plot.top)
    tip = one.text or f"{one.name}: {format_bytes(one.x)}, {100 * one.y:.2f} %"
    parts = [EMPTY]
    if one.ring_x is not None and is_number(one.ring_x) and one.ring_x > 0:
        ring = x_axis.place(one.ring_x, plot.left, plot.right)
        parts.append(line(x, y, ring, y, "link", one.color))
        ring_tip = one.ring_text or f"{one.name}: {format_bytes(one.ring_x)}"
        parts.append(dot(ring, y, 4.0, "ring", one.color, ring_tip))
    if one.low is not None and one.high is not None and is_number(one.low) and is_number(one.high):
        top = y_axis.place(one.high, plot.bottom, plot.top)
        bottom = y_axis.place(one.low, plot.bottom, plot.top)
        parts.append(line(x, top, x, bottom, "error", one.color))
        parts += [line(x - 4, end, x + 4, end, "error", one.color) for end in (top, bottom)]
    parts.append(dot(x, y, 5.0, "disc", one.color, tip))
    return Markup("").join(parts)


def draw_names(plot: Plot, x_axis: Axis, y_axis: Axis, dots: Sequence[Dot]) -> Markup:
    """Names beside their discs, each at the first of four places where it covers nothing."""
    parts = [EMPTY]
    taken: list[Box] = []
    for one in dots:
        x = x_axis.place(one.x, plot.left, plot.right)
        y = y_axis.place(one.y or 0.0, plot.bottom, plot.top)
        taken.append((x - 6, y - 6, x + 6, y + 6))
    for index, one in enumerate(dots):
        x, y = taken[index][0] + 6, taken[index][1] + 6
        box = place_name(text_length(one.name), x, y, plot, taken)
        if len(dots) > CROWD and any(overlaps(box, other) for other in taken):
            continue  # unreadable; the colour, the tip and the table still tell which it is
        taken.append(box)
        parts.append(label(box[0], box[3] - 3, one.name, "start", f"dotname t{one.color}"))
    return Markup("").join(parts)


def place_name(length: float, x: float, y: float, plot: Plot, taken: Sequence[Box]) -> Box:
    """The box of a name of that length: right, left, above or below the point (x, y)."""
    half = BOX_HEIGHT / 2
    corners = [
        (x + 9, y - half - 9), (x - 9 - length, y - half - 9),
        (x + 9, y + 3), (x - 9 - length, y + 3),
        (x + 9, y - 28), (x - 9 - length, y - 28),
        (x + 9, y + 18), (x - 9 - length, y + 18),
    ]  # fmt: skip
    boxes = [(left, top, left + length, top + BOX_HEIGHT) for left, top in corners]
    inside = [
        (left, top, right, bottom)
        for left, top, right, bottom in boxes
        if left >= plot.left and right <= WIDTH and top >= plot.top - 8 and bottom <= plot.bottom
    ]
    for box in inside:
        if not any(overlaps(box, other) for other in taken):
            return box
    return (inside or boxes)[0]


def overlaps(one: Box, other: Box) -> bool:
    """True when two boxes (left, top, right, bottom) share some area."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
