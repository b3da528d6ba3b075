"""Panels of curves one under the other that share the horizontal axis: a loss over its rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.reporting.charts.axes import (
    TARGET_INTERVALS,
    Axis,
    LabelFormat,
    format_tick,
    linear_axis,
    log_axis,
)
from pipeline.reporting.charts.drawing import (
    LINE_HEIGHT,
    TITLE_HEIGHT,
    WIDTH,
    LegendEntry,
    Plot,
    document,
    draw_legend,
    draw_x_axis,
    draw_y_axis,
    empty_note,
    left_margin,
    legend_rows,
    line,
)
from pipeline.reporting.charts.series import (
    Rule,
    Series,
    draw_rule,
    draw_series,
    swatch_shape,
)
from pipeline.reporting.units import is_number

PANEL_HEIGHT = 170.0
# Between two panels: the first one's bottom line, and the title of the next.
PANEL_GAP = 34.0
# Labels of a panel no higher than this would touch each other.
LOW_HEIGHT = 90.0


@dataclass(frozen=True)
class Panel:
    """One plot of the stack.

    Attributes:
        title: name and unit of the vertical axis; stands above it.
        series: the curves.
        height: in user units.
        y_format: from (tick, step) to the label of a tick.
        floor, ceiling: the vertical axis reaches no further (0 for a loss, 1 for a fraction).
        from_zero: the vertical axis starts at 0 whatever the values are.
        logarithmic: only for values above 0; others are gaps.
    """

    title: str
    series: Sequence[Series]
    height: float = PANEL_HEIGHT
    y_format: LabelFormat = format_tick
    floor: float | None = None
    ceiling: float | None = None
    from_zero: bool = False
    logarithmic: bool = False

    def axis(self) -> Axis:
        """The vertical axis over all that is drawn."""
        values = [y for one in self.series for _, y in one.points]
        values += [end for one in self.series for _, *ends in one.band for end in ends]
        if self.logarithmic:
            return log_axis(values, self.title)
        shown = [*values, 0.0] if self.from_zero else values
        return linear_axis(
            shown,
            self.title,
            format_label=self.y_format,
            floor=self.floor,
            ceiling=self.ceiling,
            intervals=TARGET_INTERVALS if self.height > LOW_HEIGHT else 2,
        )


def panel_chart(
    key: str,
    title: str,
    description: str,
    panels: Sequence[Panel],
    *,
    x_title: str,
    rules: Sequence[Rule] = (),
    whole: bool = True,
    x_format: LabelFormat = format_tick,
) -> Markup:
    """Draws panels from top to bottom over one horizontal axis.

    Args:
        key: unique in the page, for the ids of title and description.
        title, description: for screen readers.
        panels: at least one; the legend names the series of all of them, each name once, and is
            left out where one name (or none) is all there is.
        x_title: name of the horizontal axis, with its unit.
        rules: vertical lines through all panels, such as the best epoch.
        whole: ticks of the horizontal axis on integers only (epochs, steps, trials).
        x_format: from (tick, step) to the label of a tick.

    Returns:
        Markup: one `<svg>` element.
    """
    curves = [one for panel in panels for one in panel.series]
    xs = [x for one in curves for x, y in one.points if is_number(y)] + [rule.x for rule in rules]
    x_axis = linear_axis(xs, x_title, format_label=x_format, whole=whole, snap=False)
    y_axes = [panel.axis() for panel in panels]
    rows = legend_rows(legend_entries(panels))
    left = max(left_margin(axis) for axis in y_axes)
    parts = [draw_legend(rows)]
    top = len(rows) * LINE_HEIGHT + TITLE_HEIGHT
    for index, (panel, y_axis) in enumerate(zip(panels, y_axes, strict=True)):
        plot = Plot(left, top, WIDTH - 8, top + panel.height)
        parts.append(draw_y_axis(plot, y_axis))
        if index == len(panels) - 1:
            parts.append(draw_x_axis(plot, x_axis))
        else:
            parts.append(line(plot.left, plot.bottom, plot.right, plot.bottom, "axis"))
        for rule in rules:
            parts.append(draw_rule(plot, x_axis, rule if index == 0 else Rule(rule.x, "")))
        parts += [draw_series(plot, x_axis, y_axis, one) for one in panel.series]
        if not any(is_number(y) for one in panel.series for _, y in one.points):
            parts.append(empty_note(plot))
        top = plot.bottom + PANEL_GAP
    return document(key, title, description, plot.bottom + 42, Markup("").join(parts))


def legend_entries(panels: Sequence[Panel]) -> list[LegendEntry]:
    """One entry per name; a panel of one curve among several panels is named by its title."""
    curves = [
        one for panel in panels if len(panels) == 1 or len(panel.series) > 1
        for one in panel.series
    ]  # fmt: skip
    named = {one.name: LegendEntry(one.name, one.color, swatch_shape(one)) for one in curves}
    return list(named.values()) if len(named) > 1 else []
