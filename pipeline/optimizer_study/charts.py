"""The curves of a comparison: the median over seeds, and the range of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from pipeline.optimizer_study.summary import median_curve
from pipeline.reporting.charts.axes import format_percent_tick, format_tick
from pipeline.reporting.charts.lines import Series, line_chart

COLORS = 6
TARGET_COLOR = 7


def draw_curves(result: Mapping[str, Any]) -> dict[str, Markup]:
    """Returns caption → chart.

    Args:
        result: of `run_study`.
    """
    metric = result["metric"]
    fraction = metric == "accuracy"
    seeds = len(result["seeds"])
    spread = f"median of {seeds} seeds, band: lowest to highest" if seeds > 1 else "one seed"
    charts = {
        "Validation loss": line_chart(
            "val-loss",
            "Validation loss over epochs",
            f"Validation loss after each epoch, {spread}; the dashed line is the target.",
            [*_curves(result, "val_loss"), _target(result)],
            y_title="validation loss (logarithmic)",
            logarithmic=True,
            x_title="epoch",
        ),
        "Training loss": line_chart(
            "loss",
            "Training loss over epochs",
            f"Mean training loss within each epoch, {spread}.",
            _curves(result, "loss"),
            y_title="training loss (logarithmic)",
            logarithmic=True,
            x_title="epoch",
        ),
        f"Validation {metric}": line_chart(
            "val-metric",
            f"Validation {metric} over epochs",
            f"{metric} on validation data after each epoch, {spread}.",
            _curves(result, f"val_{metric}"),
            y_title=f"validation {metric}",
            y_format=format_percent_tick if fraction else format_tick,
            ceiling=1.0 if fraction else None,
            x_title="epoch",
            floor=0.0,
        ),
    }
    timed = _over_time(result)
    if timed:
        charts["Validation loss over time"] = line_chart(
            "val-loss-time",
            "Validation loss over the time of the optimizer's steps",
            "Median validation loss after each epoch against the seconds of the steps alone.",
            timed,
            x_title="seconds of steps",
            y_title="validation loss (logarithmic)",
            logarithmic=True,
            whole=False,
        )
    return charts


def _curves(result: Mapping[str, Any], key: str) -> list[Series]:
    series = []
    for index, one in enumerate(result["optimizers"]):
        if not one["histories"]:
            continue
        curve = median_curve([history["rows"] for history in one["histories"]], key)
        band = [(x, low, high) for x, _, low, high in curve] if len(one["histories"]) > 1 else []
        series.append(_series(index, one["label"], [(x, y) for x, y, *_ in curve], band))
    return series


def _over_time(result: Mapping[str, Any]) -> list[Series]:
    series = []
    for index, one in enumerate(result["optimizers"]):
        if one["step_seconds"] is None or not one["histories"]:
            continue
        epoch_seconds = one["step_seconds"]["mean"] * result["steps_per_epoch"]
        curve = median_curve([history["rows"] for history in one["histories"]], "val_loss")
        series.append(_series(index, one["label"], [(x * epoch_seconds, y) for x, y, *_ in curve]))
    return series


def _series(index: int, name: str, points: list[Any], band: Any = ()) -> Series:
    """Six colours, then the same ones dashed."""
    return Series(name, points, index % COLORS + 1, dashed=index >= COLORS, band=band)


def _target(result: Mapping[str, Any]) -> Series:
    loss = result["target"]["loss"]
    return Series("target", [(1, loss), (result["epochs"], loss)], TARGET_COLOR, dashed=True)
