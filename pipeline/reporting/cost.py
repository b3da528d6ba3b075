"""What each stage cost and what it gained: seconds, bytes, and the metric on validation data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.reporting.metric import Metric

# Which exported file holds the model as a stage left it. Two stages with one label share the
# file: the later one's model is in it.
MODEL_LABELS = {
    "load": "float",
    "train": "float",
    "tune": "float",
    "distill": "distilled",
    "narrow": "narrowed",
    "prune": "pruned",
    "cluster": "clustered",
}


def build_stages(
    entries: Sequence[Mapping[str, Any]], metrics: Mapping[str, Any], metric: Metric
) -> list[dict[str, Any]]:
    """One row per stage, and one per file of a stage that makes several.

    Args:
        entries: the stages of the run in their order.
        metrics: stage → its metrics.
        metric: what models are judged by.

    Returns:
        list of {"stage", "key", "digest", "seconds", "cached", "made": [{"name",
        "size_bytes", "gzip_bytes", "validation", "before", "gain"}]}. `before` is the metric
        of the model that the stage was given, `gain` how much better (positive) or worse the
        new one is; None where there is none.
    """
    sizes = read_sizes(metrics)
    last = {label: stage for stage, label in MODEL_LABELS.items() if stage in metrics}
    before: float | None = None
    stages = []
    for entry in entries:
        name, result = entry["stage"], metrics.get(entry["stage"]) or {}
        made: list[dict[str, Any]] = []
        if name == "quantize":
            for file in result.get("files", []):
                value = (file.get("validation") or {}).get(metric.name)
                made.append(describe_made(file["name"], sizes, value, before, metric))
        elif result.get("validation"):
            value = result["validation"].get(metric.name)
            label = MODEL_LABELS.get(name)
            shown = sizes if label is not None and last.get(label) == name else {}
            made.append(describe_made(label or name, shown, value, before, metric))
            before = value
        row = {key: entry[key] for key in ("stage", "key", "digest", "seconds", "cached")}
        stages.append({**row, "made": made})
    return stages


def describe_made(
    name: str,
    sizes: Mapping[str, Mapping[str, Any]],
    value: float | None,
    before: float | None,
    metric: Metric,
) -> dict[str, Any]:
    """One model or file that a stage made."""
    size = sizes.get(name, {})
    return {
        "name": name,
        "size_bytes": size.get("size_bytes"),
        "gzip_bytes": size.get("gzip_bytes"),
        "validation": value,
        "before": before,
        "gain": metric.gain(before, value),
    }


def read_sizes(metrics: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Bytes of each file by its name: from evaluate, else export, else quantize."""
    for stage in ("evaluate", "export", "quantize"):
        files = (metrics.get(stage) or {}).get("files")
        if files:
            return {file["name"]: file for file in files}
    return {}
