"""The comparison of runs as one HTML file, in the manner of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline.reporting.charts.bars import Bar, bar_chart
from pipeline.reporting.charts.drawing import LegendEntry
from pipeline.reporting.charts.lines import Series
from pipeline.reporting.charts.panels import Panel, panel_chart
from pipeline.reporting.charts.scatter import Dot, scatter_chart
from pipeline.reporting.comparison_table import show_setting
from pipeline.reporting.html import template_environment
from pipeline.reporting.metric import Metric, metric_of
from pipeline.reporting.training_charts import CURVE_HEIGHT, LOGARITHMIC_RATIO, SCHEDULE_HEIGHT
from pipeline.reporting.units import format_bytes, format_seconds, is_number

COLORS = 7


def render_comparison(comparison: Mapping[str, Any]) -> str:
    """Renders what `build_comparison` returned as one HTML file without scripts or network."""
    metric = metric_of(comparison["task"], comparison["samples"])
    colors = {run["letter"]: i % COLORS + 1 for i, run in enumerate(comparison["runs"])}
    return (
        template_environment()
        .get_template("compare.html.j2")
        .render(
            comparison=comparison,
            metric=metric,
            colors=colors,
            show_setting=show_setting,
            sizes=draw_sizes(comparison, metric, colors),
            training=[
                (name_training(entry), draw_training(index, entry, metric, colors))
                for index, entry in enumerate(comparison["training"])
            ],
            cost=draw_cost(comparison, colors),
        )
    )


def draw_sizes(
    comparison: Mapping[str, Any], metric: Metric, colors: Mapping[str, int]
) -> Markup | None:
    """Size against the metric: a colour per run, a name per file."""
    if not comparison["files"]:
        return None
    dots = []
    for row in comparison["files"]:
        low, high = row.get(metric.interval_key()) or (None, None)
        value = metric.format(row.get(metric.name))
        dots.append(
            Dot(
                name=f"{row['letter']} {row['name']}",
                x=row["gzip_bytes"],
                ring_x=row["size_bytes"],
                y=row.get(metric.name),
                low=low,
                high=high,
                color=colors[row["letter"]],
                text=f"{row['run']}, {row['file']}: {format_bytes(row['gzip_bytes'])}, {value}",
            )
        )
    lower = f" ({metric.direction})" if metric.direction else ""
    return scatter_chart(
        "sizes",
        f"Size against {metric.words}",
        f"Bytes of every file of {len(comparison['runs'])} runs against its {metric.words}, with "
        "95 % intervals. The table has the same figures.",
        dots,
        x_title="bytes (logarithmic)",
        y_title=f"{metric.words}{lower}, {comparison['split']} split",
        disc_name="after gzip",
        ring_name="raw",
        y_format=metric.tick_format,
        ceiling=metric.ceiling,
        legend=name_runs(comparison["runs"], colors, "box"),
    )


def name_runs(
    runs: Sequence[Mapping[str, Any]], colors: Mapping[str, int], shape: str
) -> list[LegendEntry]:
    """Legend entries: "A digits"."""
    return [
        LegendEntry(f"{run['letter']} {run['name']}", colors[run["letter"]], shape) for run in runs
    ]


def name_training(entry: Mapping[str, Any]) -> str:
    """The caption of a training; a single run is named there, since it needs no legend."""
    curves = entry["curves"]
    only = f", only {curves[0]['letter']} {curves[0]['run']}" if len(curves) == 1 else ""
    return f"{entry['title']}{only}"


def draw_training(
    index: int, entry: Mapping[str, Any], metric: Metric, colors: Mapping[str, int]
) -> Markup | None:
    """Validation metric, validation loss and learning rate of each run, by epochs."""
    panels = []
    for key, title, height in (
        (f"val_{metric.name}", f"{metric.words}, validation", CURVE_HEIGHT),
        ("val_loss", "loss, validation", CURVE_HEIGHT),
        ("learning_rate", "learning rate", SCHEDULE_HEIGHT),
    ):
        series = overlay(entry["curves"], key, colors)
        values = [y for one in series for _, y in one.points if y is not None and is_number(y)]
        if not values:
            continue
        is_metric, is_rate = key == f"val_{metric.name}", key == "learning_rate"
        falls = (
            key == "val_loss" and min(values) > 0 and max(values) / min(values) > LOGARITHMIC_RATIO
        )
        options: dict[str, Any] = (
            {"y_format": metric.tick_format, "ceiling": metric.ceiling} if is_metric else {}
        )
        panels.append(
            Panel(
                f"{title} (logarithmic)" if falls else title,
                series,
                height,
                floor=0.0,
                from_zero=is_rate,
                logarithmic=falls,
                **options,
            )
        )
    if not panels:
        return None
    names = ", ".join(curve["run"] for curve in entry["curves"])
    return panel_chart(
        f"training-{index}",
        entry["title"],
        f"Validation curves of {names}, one over the other.",
        panels,
        x_title="epoch",
    )


def overlay(
    curves: Sequence[Mapping[str, Any]], key: str, colors: Mapping[str, int]
) -> list[Series]:
    """One series per run; a run without that quantity has none."""
    found = []
    for curve in curves:
        points = [(row["epoch"], row.get(key)) for row in curve["history"]]
        if any(is_number(y) for _, y in points):
            name = f"{curve['letter']} {curve['run']}"
            found.append(Series(name, points, colors[curve["letter"]]))
    return found


def draw_cost(comparison: Mapping[str, Any], colors: Mapping[str, int]) -> Markup:
    """Seconds that all stages of each run took when their results were made."""
    totals = {run["letter"]: 0.0 for run in comparison["runs"]}
    for entry in comparison["seconds"]:
        totals[entry["letter"]] += entry["seconds"] or 0.0
    return bar_chart(
        "cost",
        "Seconds of each run",
        "Seconds of all stages together, each counted when its result was made.",
        [
            Bar(
                f"{run['letter']} {run['name']}",
                totals[run["letter"]],
                format_seconds(totals[run["letter"]]),
            )
            for run in comparison["runs"]
        ],
        x_title="seconds",
        color=colors[comparison["runs"][0]["letter"]],
    )
