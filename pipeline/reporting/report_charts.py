"""The charts of the report, drawn from the content of report.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline.reporting.charts.axes import format_percent_tick, format_tick
from pipeline.reporting.charts.bars import Bar, bar_chart
from pipeline.reporting.charts.lines import Rule, Series, line_chart
from pipeline.reporting.charts.scatter import Dot, scatter_chart
from pipeline.reporting.units import format_figure, format_percent, format_seconds, is_number

# Colours of the series, defined in report.css as --c1 … --c7; --c8 is the faint one.
TRAIN_COLOR, VALIDATION_COLOR, RATE_COLOR, SPARSITY_COLOR = 1, 2, 3, 4
DOT_COLORS = 7

# (quantity, title, is a fraction)
CURVES = (("loss", "Loss", False), ("accuracy", "Accuracy", True))


def draw_charts(report: Mapping[str, Any]) -> dict[str, Any]:
    """All charts that a report has content for.

    Args:
        report: the content of report.json, as `build_report` returns it.

    Returns:
        dict: `sizes`, `trials`, `sparsity`, `cost` (Markup or None); `training` (per training,
        its charts) and `schedules` (stage → its charts).
    """
    return {
        "sizes": draw_sizes(report["files"]),
        "training": [draw_training(index, run) for index, run in enumerate(report["training"])],
        "schedules": {
            stage: draw_schedule(f"schedule-{index}", stage, rows)
            for index, (stage, rows) in enumerate(report["schedules"].items())
        },
        "trials": draw_trials(report["trials"]),
        "sparsity": draw_sparsity(report["sparsity"]),
        "cost": draw_cost(report["stages"]),
    }


def draw_sizes(files: Mapping[str, Any] | None) -> Markup | None:
    """Size against accuracy, one point per model file."""
    if files is None:
        return None
    dots = []
    for index, row in enumerate(files["rows"]):
        low, high = row.get("accuracy_interval") or (None, None)
        color = index % DOT_COLORS + 1
        dots.append(
            Dot(row["name"], row["gzip_bytes"], row["size_bytes"], row.get("accuracy"),
                low, high, color)
        )  # fmt: skip
    return scatter_chart(
        "sizes",
        "Size against accuracy",
        f"Bytes of each model file against its accuracy on the {files['split']} split, with "
        "95 % intervals. The table above has the same figures.",
        dots,
        x_title="bytes (logarithmic)",
        y_title=f"accuracy, {files['split']} split",
        disc_name="after gzip",
        ring_name="raw",
    )


def draw_training(index: int, run: Mapping[str, Any]) -> list[Markup]:
    """Loss and accuracy over epochs, for training and validation data."""
    charts = []
    for quantity, title, fraction in CURVES:
        series = []
        for key, name, color in (
            (quantity, "training", TRAIN_COLOR),
            (f"val_{quantity}", "validation", VALIDATION_COLOR),
        ):
            points = [(row["epoch"], row.get(key)) for row in run["history"]]
            if any(is_number(value) for _, value in points):
                series.append(Series(name, points, color, dashed=color == VALIDATION_COLOR))
        if not series:
            continue
        best = run["best_epoch"]
        charts.append(
            line_chart(
                f"training-{index}-{quantity}",
                f"{run['title']}: {title.lower()}",
                f"{title} after each of {len(run['history'])} epochs on training and validation "
                "data." + ("" if best is None else f" The best epoch is {best}."),
                series,
                x_title="epoch",
                y_title=title.lower(),
                y_format=format_percent_tick if fraction else format_tick,
                floor=0.0,
                ceiling=1.0 if fraction else None,
                rules=() if best is None else (Rule(best, f"best: {best}"),),
            )
        )
    return charts


def draw_schedule(
    key: str, stage: str, rows: Sequence[Mapping[str, Any]]
) -> list[tuple[str, Markup]]:
    """Captions and charts: learning rate per step, and the pruning target where there is one."""
    rates = [(row["step"], row["learning_rate"]) for row in rows]
    charts = [
        (
            f"Learning rate, {stage}",
            line_chart(
                f"{key}-rate",
                f"{stage}: learning rate",
                f"Learning rate over {rows[-1]['step'] - rows[0]['step'] + 1:,} optimizer steps, "
                "as recorded while they ran.",
                [Series("learning rate", rates, RATE_COLOR)],
                x_title="step",
                y_title="learning rate",
                from_zero=True,
            ),
        )
    ]
    if any(is_number(row.get("target_sparsity")) for row in rows):
        targets = [(row["step"], row.get("target_sparsity")) for row in rows]
        charts.append(
            (
                f"Target sparsity, {stage}",
                line_chart(
                    f"{key}-target",
                    f"{stage}: target sparsity",
                    "Share of zeros asked for at each step, as recorded while the steps ran.",
                    [Series("target sparsity", targets, SPARSITY_COLOR)],
                    x_title="step",
                    y_title="target sparsity",
                    y_format=format_percent_tick,
                    from_zero=True,
                    ceiling=1.0,
                ),
            )
        )
    return charts


def draw_trials(trials: Mapping[str, Any] | None) -> Markup | None:
    """Score of each trial, and the best score so far."""
    if trials is None or not any(is_number(t["score"]) for t in trials["trials"]):
        return None
    numbered = list(enumerate(trials["trials"], start=1))
    fraction = trials["objective"].endswith("accuracy")
    return line_chart(
        "trials",
        f"{trials['objective']} over trials",
        f"Score of each of {len(numbered)} trials and the best so far; failed trials have none.",
        [
            Series("trial", [(i, t["score"]) for i, t in numbered], 1, dots_only=True),
            Series("best so far", best_steps(trials["trials"]), 2),
        ],
        x_title="trial",
        y_title=trials["objective"],
        y_format=format_percent_tick if fraction else format_tick,
        ceiling=1.0 if fraction else None,
    )


def best_steps(trials: Sequence[Mapping[str, Any]]) -> list[tuple[float, float | None]]:
    """The best score so far as a staircase: it changes at a trial, not between two."""
    points: list[tuple[float, float | None]] = []
    before = None
    for index, trial in enumerate(trials, start=1):
        best = trial["best_so_far"]
        if before is not None and best != before:
            points.append((index, before))
        points.append((index, best))
        before = best
    return points


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
