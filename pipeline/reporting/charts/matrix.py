"""A confusion matrix: what each class was taken for."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pipeline.reporting.charts.drawing import (
    EMPTY,
    WIDTH,
    document,
    label,
    number,
    shorten,
    text_length,
)

# Up to so many classes each cell has its count written in it, and each row its name.
MAX_COUNTED = 12
MAX_NAMED = 32
NAME_LENGTH = 96.0
# Text on a cell stays legible below this opacity, in light and in dark.
STRONGEST, FAINTEST = 0.55, 0.12


def matrix_chart(
    key: str, title: str, description: str, counts: Sequence[Sequence[int]], names: Sequence[str]
) -> Markup:
    """Draws a square of k × k cells, shaded by the share of its row.

    Args:
        key: unique in the page, for the ids of title and description.
        title, description: for screen readers.
        counts: k rows of k counts ≥ 0; a row per true class, a column per predicted one.
        names: k names of the classes.

    Returns:
        Markup: one `<svg>` element; right answers lie on the diagonal in one colour, mistakes
        off it in another; empty cells stay empty.
    """
    size = len(counts)
    shown = [shorten(name, NAME_LENGTH) for name in names] if size <= MAX_NAMED else [""] * size
    left = 20 + max(map(text_length, shown), default=0.0) + (6 if size <= MAX_NAMED else 0)
    cell = (WIDTH - left) / size
    upright = max(map(text_length, shown), default=0.0) > cell
    top = 22 + (left - 20 if upright else 18 if size <= MAX_NAMED else 4)
    parts = [
        label((left + WIDTH) / 2, 12, "predicted", "middle", "name"),
        draw_upright(12, top + cell * size / 2, "true class", "middle", "name"),
    ]
    for row, (name, line) in enumerate(zip(shown, counts, strict=True)):
        middle = top + (row + 0.5) * cell
        parts.append(label(left - 6, middle + 4, name, "end", "tick"))
        x = left + (row + 0.5) * cell
        parts.append(
            draw_upright(x + 4, top - 6, name, "start", "tick")
            if upright
            else label(x, top - 6, name, "middle", "tick")
        )
        for column, count in enumerate(line):
            tip = f"{names[row]} taken for {names[column]}: {count:,} of {sum(line):,}"
            share = count / sum(line) if sum(line) else 0.0
            box = (left + column * cell, top + row * cell, cell)
            written = str(count) if size <= MAX_COUNTED else ""
            parts.append(draw_cell(box, row == column, share, written, tip))
    frame = Markup('<rect x="{}" y="{}" width="{}" height="{}" class="frame"/>').format(
        number(left), number(top), number(cell * size), number(cell * size)
    )
    return document(
        key, title, description, top + cell * size + 2, Markup("").join([*parts, frame])
    )


def draw_cell(
    box: tuple[float, float, float], right: bool, share: float, written: str, tip: str
) -> Markup:
    """One cell at (x, y) of some size: a mistake is shaded by the root of its share, to be seen."""
    if share == 0.0:
        return EMPTY
    x, y, size = box
    strength = share if right else share**0.5
    shade = Markup(
        '<rect x="{}" y="{}" width="{}" height="{}" class="cell {}" fill-opacity="{}">'
        "<title>{}</title></rect>"
    ).format(
        number(x), number(y), number(size), number(size), "c1" if right else "c2",
        number(FAINTEST + (STRONGEST - FAINTEST) * strength), tip,
    )  # fmt: skip
    if not written:
        return shade
    kind = "count" if text_length(written) <= size - 2 else "count small"
    return shade + label(x + size / 2, y + size / 2 + 4, written, "middle", kind)


def draw_upright(x: float, y: float, text: str, anchor: str, kind: str) -> Markup:
    """A label that runs upwards from (x, y)."""
    return Markup(
        '<text transform="translate({} {}) rotate(-90)" text-anchor="{}" class="{}">{}</text>'
    ).format(number(x), number(y), anchor, kind, text)
