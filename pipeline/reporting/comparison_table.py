"""A comparison of runs as text for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.reporting.metric import metric_of
from pipeline.reporting.tables import format_measured, format_table
from pipeline.reporting.units import (
    MISSING,
    format_bytes,
    format_figure,
    format_milliseconds,
    format_percent,
)


def format_comparison(comparison: Mapping[str, Any]) -> str:
    """Returns three tables: the runs, what they differ in, and their files."""
    letters = [run["letter"] for run in comparison["runs"]]
    runs = format_table(
        ("", "run", "seed", "made", "stages"),
        [
            (run["letter"], run["name"], run["seed"], run["updated"], " ".join(run["stages"]))
            for run in comparison["runs"]
        ],
        "llrll",
    )
    parts = [runs]
    if comparison["differences"]:
        rows = [
            (row["path"], *map(show_setting, row["values"]))
            for row in comparison["differences"]
            if row["path"] != "stages"  # told above
        ]
        parts.append(format_table(("differs in", *letters), rows, "L"))
    else:
        parts.append("the configurations do not differ")
    if comparison["files"]:
        parts.append(format_files(comparison))
    return "\n\n".join(parts)


def show_setting(value: Any) -> str:
    """A value of the configuration; lists in brackets, nothing as a dash."""
    if isinstance(value, list):
        return "[" + ", ".join(map(show_setting, value)) + "]"
    if isinstance(value, dict):
        return "{}" if not value else ", ".join(f"{k}: {show_setting(v)}" for k, v in value.items())
    return MISSING if value is None else format_figure(value).replace(",", "")


def format_files(comparison: Mapping[str, Any]) -> str:
    """One row per file; a star marks the one that each run deploys."""
    metric = metric_of(comparison["task"], comparison["samples"])
    rows = [
        (
            f"{row['letter']} {row['name']}{'*' if row['deploy'] else ''}",
            format_measured(metric, row),
            format_bytes(row["size_bytes"]),
            format_bytes(row["gzip_bytes"]),
            format_percent(row.get("sparsity")),
            format_milliseconds((row.get("latency_ms") or {}).get("median")),
            format_bytes(row.get("arena_bytes")),
        )
        for row in comparison["files"]
    ]
    headers = ("file", f"{metric.name} [95 %]", "raw", "gzip", "sparsity", "latency", "arena")
    direction = f"; {metric.words}, {metric.direction}" if metric.direction else ""
    return (
        format_table(headers, rows, "lrrrrrr")
        + f"\n{comparison['split']} split; * is what the run deploys{direction}"
    )
