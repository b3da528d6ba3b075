from __future__ import annotations

import json

import pytest

from pipeline.tasks.task import TASKS, Task, classification, higher_is_better, metric_directions


def test_each_task_has_its_metric_and_direction() -> None:
    figures = {name: (kind.metric, kind.higher_is_better) for name, kind in TASKS.items()}
    assert figures == {
        "classification": ("accuracy", True),
        "binary": ("accuracy", True),
        "multi_label": ("accuracy", True),
        "regression": ("mae", False),
        "reconstruction": ("mse", False),
        "parity": ("difference", False),
    }


def test_figures_on_validation_data_and_their_directions() -> None:
    assert metric_directions("regression") == {"val_loss": False, "val_mae": False}
    assert metric_directions("binary") == {"val_loss": False, "val_accuracy": True}


@pytest.mark.parametrize(
    ("figure", "expected"),
    [("val_accuracy", True), ("accuracy", True), ("val_loss", False), ("mae", False),
     ("val_mse", False)],
)  # fmt: skip
def test_direction_of_a_figure_by_its_name(figure: str, expected: bool) -> None:
    assert higher_is_better(figure) is expected


def test_json_round_trip() -> None:
    task = Task("regression", 2, ("price", "age"), (2.0, 3.0), (0.5, 1.0))
    assert Task.from_json(json.loads(json.dumps(task.to_json()))) == task
    assert classification(("a", "b")).outputs == 2
