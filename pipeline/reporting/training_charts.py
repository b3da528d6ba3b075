"""Training curves with the schedule that ran under them, over one axis of epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline.reporting.charts.axes import format_percent_tick
from pipeline.reporting.charts.lines import Rule, Series
from pipeline.reporting.charts.panels import Panel, panel_chart
from pipeline.reporting.metric import Metric
from pipeline.reporting.units import is_number

# Colours of the series, defined in report.css as --c1 … --c8.
TRAIN_COLOR, VALIDATION_COLOR, RATE_COLOR, SPARSITY_COLOR = 1, 2, 3, 4
CURVE_HEIGHT, SCHEDULE_HEIGHT = 150.0, 62.0
# A loss that falls further than this is drawn over a logarithmic axis.
LOGARITHMIC_RATIO = 30.0

Rows = Sequence[Mapping[str, Any]]


def draw_training(
    index: int, run: Mapping[str, Any], schedule: Rows, metric: Metric
) -> Markup | None:
    """Metric and loss after each epoch, and under them the rate (and target) of each step.

    Args:
        index: of the training in the report, for the chart's ids.
        run: `title`, `best_epoch` and `history` of one training.
        schedule: the recorded steps of that stage; empty where there are none.
        metric: what models are judged by.
    """
    history = run["history"]
    curves = [draw_metric(history, metric), draw_loss(history)]
    if is_same(history, metric.name, "loss"):
        del curves[1]  # the loss of a reconstruction is its mean squared error
    panels = [
        panel
        for panel in curves
        if any(is_number(y) for one in panel.series for _, y in one.points)
    ]
    panels += draw_schedule(schedule, history)
    if not panels:
        return None
    best = run["best_epoch"]
    shown = ", ".join(panel.title for panel in panels)
    return panel_chart(
        f"training-{index}",
        run["title"],
        f"{shown} over {len(history)} epochs." + (f" The best epoch is {best}." if best else ""),
        panels,
        x_title="epoch",
        rules=() if best is None else (Rule(best, f"best: {best}"),),
    )


def is_same(history: Rows, first: str, second: str) -> bool:
    """True when two quantities have the same value in every epoch, up to rounding."""
    for row in history:
        one, other = row.get(first), row.get(second)
        if one is None or other is None or not math.isclose(one, other, rel_tol=1e-4):
            return False
    return True


def draw_metric(history: Rows, metric: Metric) -> Panel:
    """The metric on training and validation data."""
    return Panel(
        metric.words,
        pick_curves(history, metric.name),
        CURVE_HEIGHT,
        metric.tick_format,
        0.0,
        metric.ceiling,
    )


def draw_loss(history: Rows) -> Panel:
    """The loss on training and validation data."""
    curves = pick_curves(history, "loss")
    values = [y for one in curves for _, y in one.points if y is not None and is_number(y)]
    falls = bool(values) and min(values) > 0 and max(values) / min(values) > LOGARITHMIC_RATIO
    title = "loss (logarithmic)" if falls else "loss"
    return Panel(title, curves, CURVE_HEIGHT, floor=0.0, logarithmic=falls)


def pick_curves(history: Rows, quantity: str) -> list[Series]:
    """A quantity on training and on validation data, where the history has it."""
    found = []
    for key, name, color in (
        (quantity, "training", TRAIN_COLOR),
        (f"val_{quantity}", "validation", VALIDATION_COLOR),
    ):
        points = [(row["epoch"], row.get(key)) for row in history]
        if any(is_number(value) for _, value in points):
            found.append(Series(name, points, color, dashed=color == VALIDATION_COLOR))
    return found


def draw_schedule(schedule: Rows, history: Rows) -> list[Panel]:
    """The learning rate of each step, and the target sparsity where there is one, by epochs."""
    points = place_steps(schedule, len(history)) or [
        (row["epoch"], {"learning_rate": row.get("learning_rate")}) for row in history
    ]
    panels = []
    for key, title, color in (
        ("learning_rate", "learning rate", RATE_COLOR),
        ("target_sparsity", "target sparsity", SPARSITY_COLOR),
    ):
        values = [(x, row.get(key)) for x, row in points]
        if any(is_number(y) for _, y in values):
            series = [Series(title, values, color)]
            percent = {"y_format": format_percent_tick, "ceiling": 1.0}
            options: dict[str, Any] = percent if key == "target_sparsity" else {}
            panels.append(Panel(title, series, SCHEDULE_HEIGHT, from_zero=True, **options))
    return panels


def place_steps(schedule: Rows, epochs: int) -> list[tuple[float, Mapping[str, Any]]]:
    """Each recorded step at its place among the epochs: the last step ends the last epoch."""
    if not schedule or not epochs:
        return []
    steps = schedule[-1]["step"] - schedule[0]["step"] + 1
    return [((row["step"] - schedule[0]["step"]) / steps * epochs, row) for row in schedule]
