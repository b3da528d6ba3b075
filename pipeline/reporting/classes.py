"""What happened to each class, or label, on the way from the float file to the one that ships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.reporting.headline import BASELINE
from pipeline.reporting.units import is_number


def build_classes(
    task: Mapping[str, Any], files: Sequence[Mapping[str, Any]], deploy: str | None
) -> dict[str, Any] | None:
    """Recall (of labels: F1) of each class in the float file and in the shipped one.

    Args:
        task: as `describe_task` returns it.
        files: rows of evaluate, each with its `details`.
        deploy: the file that ships, or None.

    Returns:
        {"figure": "recall" | "f1", "before", "after" (names of the files; before is None
        without another float file), "support" (test samples per class, or None),
        "rows": [{"name", "support", "before", "after", "change"}], "confusions":
        [{"file", "counts"}]}; None where files have no such details.
    """
    detailed = [row for row in files if row.get("details")]
    after = next((row for row in detailed if row["file"] == deploy), None)
    after = after or (detailed[-1] if detailed else None)
    figure = "f1" if task["name"] == "multi_label" else "recall"
    if after is None or read_figures(after["details"], figure) is None:
        return None
    before = next((row for row in detailed if row["name"] == BASELINE), None)
    before = None if before is after else before
    return {
        "figure": figure,
        "before": None if before is None else before["name"],
        "after": after["name"],
        "rows": list_rows(task, before, after, figure),
        "confusions": [
            {"name": row["name"], "counts": row["details"]["confusion"]}
            for row in (before, after)
            if row is not None and row["details"].get("confusion")
        ],
    }


def list_rows(
    task: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    figure: str,
) -> list[dict[str, Any]]:
    """One row per class: its samples, its figure before and after, and the change."""
    shipped = read_figures(after["details"], figure) or []
    floats = None if before is None else read_figures(before["details"], figure)
    names = [str(name) for name in task["class_names"]] or [str(i) for i in range(len(shipped))]
    support = count_support(after["details"])
    rows = []
    for index, (name, value) in enumerate(zip(names, shipped, strict=False)):
        old = floats[index] if floats is not None and index < len(floats) else None
        rows.append(
            {
                "name": name,
                "support": None if support is None else support[index],
                "before": old,
                "after": value,
                "change": value - old if is_number(value) and is_number(old) else None,
            }
        )
    return rows


def read_figures(details: Mapping[str, Any], figure: str) -> list[Any] | None:
    """The figure of each class or label, or None where the task has no such thing."""
    if figure == "f1":
        labels = details.get("labels")
        return None if labels is None else [label["f1"] for label in labels]
    return details.get("recall")


def count_support(details: Mapping[str, Any]) -> list[int] | None:
    """Test samples of each class, from the rows of the confusion matrix."""
    confusion = details.get("confusion")
    return None if not confusion else [sum(row) for row in confusion]
