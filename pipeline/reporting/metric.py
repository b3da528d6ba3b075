"""The figure by which a task is judged, and how it is written: 98.1 %, or 0.512 in a unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.reporting.charts.axes import LabelFormat, format_percent_tick, format_tick
from pipeline.reporting.units import (
    MINUS,
    MISSING,
    accuracy_decimals,
    format_figure,
    format_percent,
    format_points,
    is_number,
)
from pipeline.tasks.task import TASKS

WORDS = {
    "accuracy": "accuracy",
    "mae": "mean absolute error",
    "mse": "mean squared error",
    "difference": "mean difference from the float model",
    "loss": "loss",
}


@dataclass(frozen=True)
class Metric:
    """A figure of merit or of error.

    Attributes:
        name: key in metrics: accuracy, mae, mse or difference.
        higher_is_better: whether a larger value is a better one.
        decimals: of a percentage; chosen so that one sample more can be seen.
        task: a name of pipeline/tasks/task.py.
        targets: names of what a regression predicts.
    """

    name: str = "accuracy"
    higher_is_better: bool = True
    decimals: int = 1
    task: str = "classification"
    targets: tuple[str, ...] = ()

    @property
    def is_share(self) -> bool:
        """True for a fraction that is written in per cent, with differences in points."""
        return self.name == "accuracy"

    @property
    def words(self) -> str:
        """Its name in words."""
        return WORDS.get(self.name, self.name)

    @property
    def unit(self) -> str:
        """What a value is measured in; "" for a share."""
        if self.task == "regression":
            one_is_named = len(self.targets) == 1
            return f"the unit of {self.targets[0]}" if one_is_named else "the unit of the targets"
        units = {
            "reconstruction": "squared units of the input", "parity": "the unit of the outputs",
        }  # fmt: skip
        return units.get(self.task, "")

    @property
    def direction(self) -> str:
        """ "" where more is better as everybody expects, else a word that says so."""
        return "" if self.higher_is_better else "lower is better"

    @property
    def tick_format(self) -> LabelFormat:
        """How an axis writes it."""
        return format_percent_tick if self.is_share else format_tick

    @property
    def ceiling(self) -> float | None:
        """The largest value that there is."""
        return 1.0 if self.is_share else None

    def interval_key(self) -> str:
        """Where a file's row keeps the 95 % interval."""
        return f"{self.name}_interval"

    def format(self, value: Any) -> str:
        """One value: 98.1 %, or 0.5123."""
        if not is_number(value):
            return MISSING
        return format_percent(value, self.decimals) if self.is_share else format_figure(value)

    def format_bare(self, value: Any) -> str:
        """One value without its per cent sign, for intervals."""
        return self.format(value).removesuffix(" %")

    def format_interval(self, interval: Sequence[float] | None) -> str:
        """An interval in brackets: [96.0–99.1], or "" without one."""
        if interval is None or not all(map(is_number, interval)):
            return ""
        low, high = map(self.format_bare, interval)
        return f"[{low}–{high}]"

    def format_difference(self, difference: Any) -> str:
        """A signed difference, of a share in percentage points: −1.1, +0.0042."""
        if not is_number(difference):
            return MISSING
        if self.is_share:
            return format_points(difference, self.decimals)
        if difference == 0:
            return "0"
        size = abs(float(difference))
        # Two digits: an interval of a difference is known no better.
        text = f"{size:.2g}" if size < 1 else f"{size:.3g}" if size < 1000 else f"{size:,.0f}"
        return (MINUS if difference < 0 else "+") + text

    def gain(self, before: Any, after: Any) -> float | None:
        """How much better `after` is than `before`: positive is better; None without both."""
        if not is_number(before) or not is_number(after):
            return None
        return after - before if self.higher_is_better else before - after


def describe_task(config: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What the run's models were asked to do, from whichever stage tells it.

    Args:
        config: the whole configuration as plain values.
        metrics: stage → its metrics.

    Returns:
        {"name", "metric", "higher_is_better", "class_names"}; a run that tells nothing was made
        before there were tasks, and is a classification.
    """
    data, evaluate = metrics.get("data") or {}, metrics.get("evaluate") or {}
    told = data.get("task") or {}
    name = evaluate.get("task") or told.get("name") or config.get("data", {}).get("task")
    name = name if name in TASKS else "classification"
    kind = TASKS[name]
    return {
        "name": name,
        "metric": evaluate.get("metric") or kind.metric,
        "higher_is_better": evaluate.get("higher_is_better", kind.higher_is_better),
        "class_names": evaluate.get("class_names") or data.get("class_names") or [],
    }


def metric_of(task: Mapping[str, Any] | None, samples: int | None) -> Metric:
    """The metric of a report's `task`, written to the precision that so many samples allow."""
    if task is None:
        return Metric(decimals=accuracy_decimals(samples))
    return Metric(
        task["metric"],
        task["higher_is_better"],
        accuracy_decimals(samples),
        task["name"],
        tuple(task["class_names"]) if task["name"] == "regression" else (),
    )


def evaluated_metric(evaluate: Mapping[str, Any]) -> Metric:
    """The metric of the stage evaluate's own figures."""
    return metric_of(describe_task({}, {"evaluate": evaluate}), evaluate.get("samples"))
