"""What all charts share: the SVG frame, the grid with its labels, the legend, safe text.

Every piece is `Markup`, whose `format` escapes what is put in: a name can never become a tag.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.reporting.charts.axes import Axis

# User units. The page shows a chart at 330 to 470 pixels, so that text stays at 10.5 to 15.
WIDTH = 400.0
LETTER = 7.2
LINE_HEIGHT = 17.0
SWATCH = 22.0
# Room above a plot for the title of its vertical axis.
TITLE_HEIGHT = 29.0
# The number of the colour for what stands in the background.
FAINT_COLOR = 8
EMPTY = Markup("")


@dataclass(frozen=True)
class Plot:
    """The rectangle in which values are drawn, in user units, y growing downwards."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class LegendEntry:
    """`shape` is "line", "dashed", "disc", "ring", "box", "mark", or CSS classes of a line."""

    name: str
    color: int
    shape: str = "line"


def number(value: float) -> str:
    """A coordinate with at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def text_length(text: str) -> float:
    """Estimated width of a label in user units."""
    return len(text) * LETTER


def shorten(text: str, length: float) -> str:
    """Cuts a label in its middle, since layer names differ at both ends."""
    fits = max(3, int(length / LETTER + 1e-6))
    if len(text) <= fits:
        return text
    head = (fits - 1) // 2
    return text[:head] + "…" + text[len(text) - (fits - 1 - head) :]


def label(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> Markup:
    """A text element; `kind` is a CSS class."""
    return Markup('<text x="{}" y="{}" text-anchor="{}" class="{}">{}</text>').format(
        number(x), number(y), anchor, kind, text
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str, color: int = 0) -> Markup:
    """A straight line; `kind` is a CSS class, `color` the number of a series."""
    return Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>').format(
        number(x1), number(y1), number(x2), number(y2), f"{kind} c{color}" if color else kind
    )


def document(key: str, title: str, description: str, height: float, body: Markup) -> Markup:
    """The SVG element: scales with its container, named and described for screen readers.

    Args:
        key: unique in the page, letters, digits and hyphens.
        title, description: what the chart shows, and what can be read off it.
        height: in user units; the width is always `WIDTH`.
        body: the drawing.
    """
    return Markup(
        '<svg class="chart" viewBox="0 0 {w} {h}" role="img" xmlns="http://www.w3.org/2000/svg"'
        ' aria-labelledby="{k}-title {k}-desc"><title id="{k}-title">{t}</title>'
        '<desc id="{k}-desc">{d}</desc>{body}</svg>'
    ).format(w=number(WIDTH), h=number(height), k=key, t=title, d=description, body=body)


def left_margin(y_axis: Axis) -> float:
    """Room for the widest tick label of the vertical axis."""
    return max(map(text_length, y_axis.labels), default=0.0) + 10


def draw_frame(
    entries: Sequence[LegendEntry], x_axis: Axis, y_axis: Axis, height: float
) -> tuple[Plot, Markup]:
    """Legend and axes of a chart of one plot, and where that plot is; `height` is the plot's."""
    rows = legend_rows(entries)
    top = len(rows) * LINE_HEIGHT + TITLE_HEIGHT
    plot = Plot(left_margin(y_axis), top, WIDTH - 8, top + height)
    return plot, draw_legend(rows) + draw_axes(plot, x_axis, y_axis)


def draw_axes(plot: Plot, x_axis: Axis, y_axis: Axis) -> Markup:
    """Grid lines, tick labels and titles; the title of the vertical axis stands above it."""
    return draw_y_axis(plot, y_axis) + draw_x_axis(plot, x_axis)


def draw_y_axis(plot: Plot, y_axis: Axis) -> Markup:
    """Horizontal grid lines with their labels, and the title above them."""
    parts = [EMPTY]
    for tick, text in zip(y_axis.ticks, y_axis.labels, strict=True):
        y = y_axis.place(tick, plot.bottom, plot.top)
        parts.append(line(plot.left, y, plot.right, y, "grid"))
        parts.append(label(plot.left - 6, y + 4, text, "end", "tick"))
    parts.append(label(0, plot.top - 14, y_axis.title, "start", "name"))
    return Markup("").join(parts)


def draw_x_axis(plot: Plot, x_axis: Axis) -> Markup:
    """The line at the bottom, ticks with their labels, and the title below them."""
    middle = (plot.left + plot.right) / 2
    return (
        draw_x_ticks(plot, x_axis)
        + line(plot.left, plot.bottom, plot.right, plot.bottom, "axis")
        + label(middle, plot.bottom + 36, x_axis.title, "middle", "name")
    )


def draw_x_ticks(plot: Plot, x_axis: Axis) -> Markup:
    """Ticks of the horizontal axis; a label that would touch the one before is left out."""
    parts = [EMPTY]
    free = float("-inf")
    for tick, text in zip(x_axis.ticks, x_axis.labels, strict=True):
        x = x_axis.place(tick, plot.left, plot.right)
        parts.append(line(x, plot.bottom, x, plot.bottom + 4, "axis"))
        half = text_length(text) / 2
        centre = max(half, min(x, WIDTH - half))
        if centre - half > free:
            parts.append(label(centre, plot.bottom + 18, text, "middle", "tick"))
            free = centre + half + 4
    return Markup("").join(parts)


def legend_rows(entries: Sequence[LegendEntry]) -> list[list[LegendEntry]]:
    """Breaks the legend into rows that fit the width."""
    rows: list[list[LegendEntry]] = [[]]
    used = 0.0
    for entry in entries:
        needed = SWATCH + text_length(entry.name) + 14
        if rows[-1] and used + needed > WIDTH:
            rows.append([])
            used = 0.0
        rows[-1].append(entry)
        used += needed
    return rows if entries else []


def draw_legend(rows: Sequence[Sequence[LegendEntry]]) -> Markup:
    """The legend at the top left; it takes `len(rows) * LINE_HEIGHT`."""
    parts = [EMPTY]
    for index, row in enumerate(rows):
        x, y = 0.0, 12 + index * LINE_HEIGHT
        for entry in row:
            parts.append(draw_swatch(entry, x, y - 4))
            parts.append(label(x + SWATCH, y, entry.name, "start", "legend"))
            x += SWATCH + text_length(entry.name) + 14
    return Markup("").join(parts)


def draw_swatch(entry: LegendEntry, x: float, y: float) -> Markup:
    """The sign of a legend entry, in a box SWATCH wide around the height y."""
    if entry.shape in ("disc", "ring"):
        return dot(x + 9, y, 4.5, entry.shape, entry.color)
    if entry.shape == "box":
        return box(x, y - 5, 17, 10, entry.color)
    if entry.shape == "mark":
        return line(x + 9, y - 6, x + 9, y + 6, "mark")
    kind = {"dashed": "line dashed"}.get(entry.shape, entry.shape)
    return line(x, y, x + 17, y, kind, entry.color)


def dot(x: float, y: float, radius: float, shape: str, color: int, tip: str = "") -> Markup:
    """A "disc" or "ring"; `tip` is what a pointer held over it shows."""
    title = Markup("<title>{}</title>").format(tip) if tip else EMPTY
    return Markup('<circle cx="{}" cy="{}" r="{}" class="{} c{}">{}</circle>').format(
        number(x), number(y), number(radius), shape, color, title
    )


def box(x: float, y: float, width: float, height: float, color: int, tip: str = "") -> Markup:
    """A filled rectangle with slightly round corners."""
    title = Markup("<title>{}</title>").format(tip) if tip else EMPTY
    return Markup(
        '<rect x="{}" y="{}" width="{}" height="{}" rx="2" class="bar c{}">{}</rect>'
    ).format(number(x), number(y), number(width), number(height), color, title)


def empty_note(plot: Plot) -> Markup:
    """Said in the middle of a chart that has nothing to draw."""
    middle = (plot.left + plot.right) / 2
    return label(middle, (plot.top + plot.bottom) / 2, "no finite values", "middle", "name")
