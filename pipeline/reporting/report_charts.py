"""The charts of the report, drawn from the content of report.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline.reporting.charts.axes import format_percent_tick
from pipeline.reporting.charts.bars import Bar, bar_chart
from pipeline.reporting.charts.lines import Series, line_chart
from pipeline.reporting.charts.scatter import Dot, scatter_chart
from pipeline.reporting.class_charts import draw_classes
from pipeline.reporting.metric import Metric, metric_of
from pipeline.reporting.training_charts import SPARSITY_COLOR, draw_training
from pipeline.reporting.trial_charts import draw_trials
from pipeline.reporting.units import (
    format_bytes,
    format_figure,
    format_milliseconds,
    format_percent,
    format_seconds,
)
from pipeline.reporting.weight_charts import draw_weights

DOT_COLORS = 7
LATENCY_COLOR = 6
# Of the channels, as many curves as there are colours.
SENSITIVE_GROUPS = 7


def draw_charts(report: Mapping[str, Any]) -> dict[str, Any]:
    """All charts that a report has content for.

    Args:
        report: the content of report.json, as `build_report` returns it.

    Returns:
        dict: `sizes`, `latency`, `sensitivity`, `sparsity`, `cost` (Markup or None);
        `training` (one per training), `weights` (list); `trials` and
        `classes` (see draw_trials, draw_classes).
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
        "sensitivity": draw_sensitivity(report["channels"]),
        "sparsity": draw_sparsity(report["sparsity"]),
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


def draw_sensitivity(channels: Mapping[str, Any] | None) -> Markup | None:
    """How the loss rose without parts of one group of layers, for the groups that matter most."""
    measured = [group for group in (channels or {}).get("groups", []) if group["loss_rise"]]
    if not measured:
        return None
    measured.sort(key=lambda group: -max(rise for _, rise in group["loss_rise"]))
    series = [
        Series(
            ", ".join(group["layers"]),
            [(0.0, 0.0), *((count / group["units"], rise) for count, rise in group["loss_rise"])],
            color=index + 1,
        )
        for index, group in enumerate(measured[:SENSITIVE_GROUPS])
    ]
    return line_chart(
        "sensitivity",
        "Sensitivity of each group of channels",
        "Rise of the loss on validation samples when only this group loses channels, the least "
        "important first.",
        series,
        x_title="fraction of the group's channels removed",
        y_title="rise of the loss",
        x_format=format_percent_tick,
        whole=False,
    )


def draw_sparsity(sparsity: Mapping[str, Any] | None) -> Markup | None:
    """Share of zeros in each pruned kernel, with the target."""
    if sparsity is None or not sparsity["layers"]:
        return None
    layers = sparsity["layers"]
    kernels = [layer["layer"] for layer in layers]
    bars = [
        Bar(
            # A layer with several pruned kernels gets the tensor's name as well.
            layer["layer"]
            if kernels.count(layer["layer"]) == 1
            else f"{layer['layer']}/{layer['tensor'].rsplit('/', 1)[-1]}",
            layer["sparsity"],
            format_percent(layer["sparsity"]),
            layer.get("target"),
        )
        for layer in layers
    ]
    return bar_chart(
        "sparsity",
        "Sparsity per layer",
        "Share of zeros counted in each pruned kernel, with the share that was asked for.",
        bars,
        x_title="share of zeros",
        x_format=format_percent_tick,
        ceiling=1.0,
        bar_name="counted",
        mark_name="target",
        color=SPARSITY_COLOR,
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
