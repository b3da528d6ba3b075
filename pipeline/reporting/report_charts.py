"""The charts of the report, drawn from the content of report.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline.reporting.charts.bars import Bar, bar_chart
from pipeline.reporting.charts.scatter import Dot, scatter_chart
from pipeline.reporting.class_charts import draw_classes
from pipeline.reporting.metric import Metric, metric_of
from pipeline.reporting.quantization_charts import draw_layer_errors
from pipeline.reporting.sensitivity_charts import (
    draw_channels,
    draw_mixed_precision,
    draw_pruned_layers,
)
from pipeline.reporting.sparsity_charts import draw_sparsity, draw_weights_left
from pipeline.reporting.training_charts import draw_training
from pipeline.reporting.trial_charts import draw_trials
from pipeline.reporting.units import (
    format_bytes,
    format_figure,
    format_milliseconds,
    format_seconds,
)
from pipeline.reporting.weight_charts import draw_weights

DOT_COLORS = 7
LATENCY_COLOR = 6


def draw_charts(report: Mapping[str, Any]) -> dict[str, Any]:
    """All charts that a report has content for.

    Args:
        report: the content of report.json, as `build_report` returns it.

    Returns:
        dict: `sizes`, `latency`, `sensitivity`, `sparsity`, `weights_left`,
        `layer_sensitivity`, `cost` (Markup or None);
        `training` (one per training), `weights` (list); `layer_errors` and
        `mixed_precision` (one per file);
        `trials` and `classes` (see draw_trials, draw_classes).
    """
    files = report["files"]
    metric = metric_of(report["task"], (files or {}).get("samples"))
    space = (report["configuration"]["values"].get("tune") or {}).get("search_space") or {}
    return {
        "sizes": draw_sizes(files, metric),
        "latency": draw_latency(files),
        "training": [
            draw_training(index, run, report["schedules"].get(run["stage"], []), metric)
            for index, run in enumerate(report["training"])
        ],
        "trials": draw_trials(report["trials"], space),
        "classes": draw_classes(report["classes"]),
        "sensitivity": draw_channels(report["channels"]),
        "sparsity": draw_sparsity(report["sparsity"]),
        "weights_left": draw_weights_left(report["sparsity"]),
        "layer_sensitivity": draw_pruned_layers(report["sparsity"]),
        "layer_errors": draw_layer_errors(report["quantization"]),
        "mixed_precision": draw_mixed_precision(report["quantization"]),
        "weights": draw_weights(report["weights"]),
        "cost": draw_cost(report["stages"]),
    }


def draw_sizes(files: Mapping[str, Any] | None, metric: Metric) -> Markup | None:
    """Size against the metric, one point per model file."""
    if files is None:
        return None
    dots = []
    for index, row in enumerate(files["rows"]):
        low, high = row.get(metric.interval_key()) or (None, None)
        value = metric.format(row.get(metric.name))
        tip = f"{row['name']}: {format_bytes(row['gzip_bytes'])} after gzip, {value}"
        dots.append(
            Dot(
                name=row["name"],
                x=row["gzip_bytes"],
                ring_x=row["size_bytes"],
                y=row.get(metric.name),
                low=low,
                high=high,
                color=index % DOT_COLORS + 1,
                text=tip,
            )
        )
    lower = f" ({metric.direction})" if metric.direction else ""
    return scatter_chart(
        "sizes",
        f"Size against {metric.words}",
        f"Bytes of each model file against its {metric.words} on the {files['split']} split, with "
        "95 % intervals. The table above has the same figures.",
        dots,
        x_title="bytes (logarithmic)",
        y_title=f"{metric.words}{lower}, {files['split']} split",
        disc_name="after gzip",
        ring_name="raw",
        y_format=metric.tick_format,
        ceiling=metric.ceiling,
    )


def draw_latency(files: Mapping[str, Any] | None) -> Markup | None:
    """Median time of one call of each file, with the 95th percentile."""
    timed = [row for row in (files or {}).get("rows", []) if row.get("latency_ms")]
    if not timed:
        return None
    return bar_chart(
        "latency",
        "Latency of each file",
        "Median and 95th percentile of the time of one call, in milliseconds, on the machine "
        "named below the table.",
        [
            Bar(
                row["name"],
                row["latency_ms"].get("median"),
                format_milliseconds(row["latency_ms"].get("median")),
                row["latency_ms"].get("p95"),
            )
            for row in timed
        ],
        x_title="milliseconds a call",
        bar_name="median",
        mark_name="95th percentile",
        color=LATENCY_COLOR,
    )


def draw_cost(stages: Sequence[Mapping[str, Any]]) -> Markup | None:
    """Seconds that making each stage's result took."""
    if not stages:
        return None
    return bar_chart(
        "cost",
        "Cost of each stage",
        "; ".join(f"{s['stage']} {format_figure(s['seconds'])} seconds" for s in stages) + ".",
        [
            Bar(
                stage["stage"],
                stage["seconds"],
                format_seconds(stage["seconds"]),
                faint=bool(stage["cached"]),
            )
            for stage in stages
        ],
        x_title="seconds",
        bar_name="made in this run",
        faint_name="reused (seconds when it was made)",
    )
