"""Charts of classes: confusion matrices, and the change of each class from float to shipped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from pipeline.reporting.charts.change import Change, change_chart
from pipeline.reporting.charts.matrix import matrix_chart
from pipeline.reporting.units import format_percent, format_points

# More rows than this are no chart: those that changed most are drawn.
MAX_ROWS = 24


def draw_classes(classes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Draws what build_classes told.

    Returns:
        dict: `change` (Markup or None) and `confusions` [(name of the file, Markup)].
    """
    if classes is None:
        return {"change": None, "confusions": []}
    names = [row["name"] for row in classes["rows"]]
    return {
        "change": draw_change(classes),
        "confusions": [
            (
                one["name"],
                matrix_chart(
                    f"confusion-{index}",
                    f"Confusions of {one['name']}",
                    "A row per true class, a column per predicted class; right answers lie on "
                    "the diagonal.",
                    one["counts"],
                    names,
                ),
            )
            for index, one in enumerate(classes["confusions"])
        ],
    }


def draw_change(classes: Mapping[str, Any]) -> Markup | None:
    """Recall (or F1) of each class before and after; the most changed ones of very many."""
    rows = [row for row in classes["rows"] if row["after"] is not None]
    if not rows:
        return None
    if len(rows) > MAX_ROWS:
        rows = sorted(rows, key=lambda row: (-abs(row["change"] or 0.0), row["after"]))[:MAX_ROWS]
    compared = classes["before"] is not None
    return change_chart(
        "classes",
        f"{classes['figure']} per class",
        f"{classes['figure']} of each class in {classes['before'] or classes['after']} and in "
        f"{classes['after']}; the table has the same figures.",
        [
            Change(
                row["name"],
                row["before"],
                row["after"],
                format_points(row["change"]) if compared else format_percent(row["after"]),
            )
            for row in rows
        ],
        x_title="recall" if classes["figure"] == "recall" else "F1",
        before_name=classes["before"] or "",
        after_name=classes["after"],
    )
