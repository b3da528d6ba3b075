"""Plain-text tables for the terminal: aligned, at most 100 columns, one row per line."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.reporting.metric import Metric, evaluated_metric
from pipeline.reporting.units import (
    MISSING,
    format_bytes,
    format_figure,
    format_milliseconds,
    format_percent,
    format_ratio,
    format_seconds,
    is_number,
)
from pipeline.tasks.task import higher_is_better

MAX_WIDTH = 100
GAP = "  "
MIN_COLUMN_WIDTH = 8
ELLIPSIS = "…"


def format_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[Any]],
    align: str = "",
    max_width: int = MAX_WIDTH,
) -> str:
    """Formats rows under headers; texts, never figures, are shortened until the table fits.

    Args:
        headers: one per column.
        rows: cells in the order of the headers; anything `str` can show. Control characters
            (a newline in an error message, a terminal escape) are made harmless.
        align: one letter per column, "l" (texts), "L" (texts that are never shortened) or "r"
            (figures); missing letters are "l".
        max_width: columns of the terminal, > 0; default 100.

    Returns:
        str: header, rule and rows joined by newlines, no trailing spaces, no final newline.
    """
    table = [[clean_cell(cell) for cell in row] for row in [headers, *rows]]
    widths = [max(text_width(row[i]) for row in table) for i in range(len(headers))]
    sides = align.ljust(len(headers), "l")
    fit_widths(widths, sides, max_width)
    lines = []
    for row in table:
        cells = [pad_cell(row[i], widths[i], sides[i]) for i in range(len(headers))]
        lines.append(GAP.join(cells).rstrip())
    lines.insert(1, GAP.join("─" * width for width in widths))
    return "\n".join(lines)


def fit_widths(widths: list[int], sides: str, max_width: int) -> None:
    """Shrinks the widest text column, one by one, until the table fits or no text can give."""
    texts = [index for index, side in enumerate(sides) if side == "l"]
    while texts and sum(widths) + len(GAP) * (len(widths) - 1) > max_width:
        widest = max(texts, key=widths.__getitem__)
        if widths[widest] <= MIN_COLUMN_WIDTH:
            return
        widths[widest] -= 1


def clean_cell(cell: Any) -> str:
    """One printable line: white space collapses, other control characters become �."""
    text = " ".join(str(cell).split())
    return "".join(character if character.isprintable() else "�" for character in text)


def text_width(text: str) -> int:
    """Terminal columns of a text: wide East Asian characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def pad_cell(text: str, width: int, side: str) -> str:
    """Cuts or pads a cell to exactly `width` terminal columns."""
    if text_width(text) > width:
        while text_width(text) > width - 1:
            text = text[:-1]
        text += ELLIPSIS
    padding = " " * (width - text_width(text))
    return padding + text if side == "r" else text + padding


def format_measured(metric: Metric, row: Mapping[str, Any]) -> str:
    """A file's metric with its 95 % interval: 98.5 % [96.9–99.4]."""
    interval = metric.format_interval(row.get(metric.interval_key()))
    return f"{metric.format(row.get(metric.name))} {interval}".rstrip()


def evaluation_table(evaluate_metrics: Mapping[str, Any]) -> str:
    """The table a run ends with: one row per model file, measured on the test split.

    Args:
        evaluate_metrics: the metrics of the stage evaluate (`files`, `split`, `samples`, `seed`).

    Returns:
        str: at most 100 columns wide; the last line names split, samples and seed.
    """
    samples = evaluate_metrics["samples"]
    metric = evaluated_metric(evaluate_metrics)
    rows = [
        (
            entry["name"],
            format_measured(metric, entry),
            format_bytes(entry["size_bytes"]),
            format_bytes(entry["gzip_bytes"]),
            f"{format_ratio(entry['raw_ratio'])}/{format_ratio(entry['gzip_ratio'])}",
            format_percent(entry.get("sparsity")),
            format_milliseconds((entry.get("latency_ms") or {}).get("median")),
            format_bytes(entry.get("arena_bytes")),
        )
        for entry in evaluate_metrics["files"]
    ]
    headers = (
        "file", f"{metric.name} [95 %]", "raw", "gzip", "ratio", "sparsity", "latency", "arena",
    )  # fmt: skip
    footer = (
        f"{evaluate_metrics['split']} split, {samples:,} samples, "
        f"seed {evaluate_metrics['seed']}; ratio: raw float bytes / these, raw and gzip"
    )
    if not metric.higher_is_better:
        footer += f"\n{metric.name}: {metric.words}, {metric.direction}"
    agreements = [
        f"{entry['name']} {format_percent(entry['details']['agreement'])}"
        for entry in evaluate_metrics["files"]
        if (entry.get("details") or {}).get("agreement") is not None
    ]
    if agreements:
        footer += f"\nsame answer as the float model: {', '.join(agreements)}"
    lines = [format_table(headers, rows, "lrrrrrrr"), *map(clean_cell, footer.splitlines())]
    return "\n".join(lines)


def sizes_table(evaluate_metrics: Mapping[str, Any]) -> str:
    """Bytes of each file: as it is, after gzip and xz, and its kernels at their entropy.

    Args:
        evaluate_metrics: the metrics of the stage evaluate.
    """
    keys = ("size_bytes", "gzip_bytes", "xz_bytes", "entropy_bytes")
    rows = [
        (entry["name"], *(format_bytes(entry.get(key)) for key in keys))
        for entry in evaluate_metrics["files"]
    ]
    return (
        format_table(("file", "raw", "gzip", "xz", "entropy"), rows, "lrrrr")
        + "\nentropy: of the kernels, the limit of codes of each single weight; gzip can beat it "
        "by repeats"
    )


def trials_table(tune_metrics: Mapping[str, Any], limit: int | None = None) -> str:
    """The trials of a search, best first; failed ones last, with their cause.

    Args:
        tune_metrics: the metrics of the stage tune (`objective`, `trials`, `best_trial`).
        limit: rows to show at most, ≥ 1; None shows all.
    """
    trials = sort_trials(tune_metrics["trials"], tune_metrics["objective"])
    shown = trials if limit is None else trials[:limit]
    rows = [
        (
            trial["trial"] + ("*" if trial["trial"] == tune_metrics["best_trial"] else ""),
            MISSING if trial["score"] is None else format_score(trial["score"]),
            trial["epochs"],
            format_seconds(trial["seconds"]),
            trial["error"] or describe_hyperparameters(trial["hyperparameters"]),
        )
        for trial in shown
    ]
    headers = ("trial", tune_metrics["objective"], "epochs", "time", "hyperparameters or cause")
    table = format_table(headers, rows, "lrrrl")
    return table if len(shown) == len(trials) else f"{table}\n… {len(trials) - len(shown)} more"


def sort_trials(trials: Sequence[Mapping[str, Any]], objective: str) -> list[Mapping[str, Any]]:
    """The best score first, then those that break a constraint, then those without a score."""
    sign = 1.0 if is_minimized(objective) else -1.0

    def order(trial: Mapping[str, Any]) -> tuple[int, float]:
        if not is_number(trial["score"]):
            return 2, 0.0
        return 0 if trial.get("feasible", True) else 1, sign * trial["score"]

    return sorted(trials, key=order)


def format_score(score: float) -> str:
    """A trial's score: bytes are whole, losses and shares have four decimals."""
    return f"{score:,.0f}" if abs(score) >= 1000 else f"{score:.4f}"


def is_minimized(objective: str) -> bool:
    """True for a loss or an error, where less is better."""
    return not higher_is_better(objective)


def describe_hyperparameters(hyperparameters: Mapping[str, Any]) -> str:
    """Hyperparameters on one line, by the last part of their path: learning_rate=0.003 …"""
    return " ".join(
        f"{path.rsplit('.', 1)[-1]}={format_figure(value)}"
        for path, value in hyperparameters.items()
    )


def plan_table(steps: Sequence[Mapping[str, str]]) -> str:
    """The plan of a run before it starts.

    Args:
        steps: one per stage with `stage`, `state` (such as "run" or "cached") and `reason`.
    """
    rows = [(step["stage"], step["state"], step["reason"]) for step in steps]
    return format_table(("stage", "state", "why"), rows)
