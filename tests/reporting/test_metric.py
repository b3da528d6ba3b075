from __future__ import annotations

import pytest

from pipeline.reporting.metric import Metric, describe_task, metric_of


def test_accuracy_is_written_in_per_cent() -> None:
    metric = Metric(decimals=1)
    assert metric.format(0.981) == "98.1 %"
    assert metric.format_interval([0.96, 0.991]) == "[96.0–99.1]"
    assert metric.format_difference(-0.011) == "−1.1"
    assert metric.gain(0.9, 0.95) == pytest.approx(0.05)
    assert (metric.unit, metric.direction, metric.ceiling) == ("", "", 1.0)


def test_an_error_is_written_in_its_unit_and_lower_is_better() -> None:
    metric = metric_of(
        {"name": "regression", "metric": "mae", "higher_is_better": False, "class_names": ["age"]},
        10,
    )
    assert metric.format(0.51234) == "0.5123"
    assert metric.format_interval([0.5, 0.525]) == "[0.5–0.525]"
    assert metric.format_difference(0.0042) == "+0.0042" and metric.format_difference(0) == "0"
    assert metric.format_difference(-12.5) == "−12.5"
    assert metric.gain(0.5, 0.6) == pytest.approx(-0.1)
    assert (metric.unit, metric.direction) == ("the unit of age", "lower is better")
    assert metric.ceiling is None


def test_missing_values_are_dashes() -> None:
    metric = Metric()
    assert metric.format(None) == metric.format_difference(None) == "–"
    assert metric.format_interval(None) == metric.format_interval([0.1, float("nan")]) == ""
    assert metric.gain(None, 0.5) is None


@pytest.mark.parametrize(
    ("config", "metrics", "expected"),
    [
        ({}, {}, ("classification", "accuracy", True)),
        ({"data": {"task": "regression"}}, {}, ("regression", "mae", False)),
        ({}, {"data": {"task": {"name": "binary"}}}, ("binary", "accuracy", True)),
        (
            {"data": {"task": "binary"}},
            {"evaluate": {"task": "reconstruction", "metric": "mse", "higher_is_better": False}},
            ("reconstruction", "mse", False),
        ),
        ({"data": {"task": "divination"}}, {}, ("classification", "accuracy", True)),
    ],
)
def test_the_task_is_taken_from_who_tells_it(
    config: dict[str, object], metrics: dict[str, object], expected: tuple[str, str, bool]
) -> None:
    task = describe_task(config, metrics)
    assert (task["name"], task["metric"], task["higher_is_better"]) == expected
