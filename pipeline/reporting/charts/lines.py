"""Line charts: curves, with bands around them, over epochs, steps, trials or seconds."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pipeline.reporting.charts.axes import LabelFormat, format_tick
from pipeline.reporting.charts.panels import PANEL_HEIGHT, Panel, panel_chart
from pipeline.reporting.charts.series import Rule, Series

__all__ = ["Rule", "Series", "line_chart"]


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
    logarithmic: bool = False,
    whole: bool = True,
    x_format: LabelFormat = format_tick,
) -> Markup:
    """Draws curves in one plot.

    Args:
        key: unique in the page, for the ids of title and description.
        title, description: for screen readers.
        series: the curves; one of a single point is drawn as a disc.
        x_title, y_title: names of the axes, with their units.
        y_format, x_format: from (tick, step) to the label of a tick.
        floor, ceiling: the vertical axis reaches no further (0 for a loss, 1 for a fraction).
        from_zero: the vertical axis starts at 0 whatever the values are.
        rules: vertical lines, such as the best epoch.
        logarithmic: the vertical axis; values of 0 and below are gaps.
        whole: ticks of the horizontal axis on integers only.

    Returns:
        Markup: one `<svg>` element.
    """
    panel = Panel(
        y_title, series, PANEL_HEIGHT, y_format, floor, ceiling, from_zero, logarithmic
    )  # fmt: skip
    return panel_chart(
        key,
        title,
        description,
        [panel],
        x_title=x_title,
        rules=rules,
        whole=whole,
        x_format=x_format,
    )
