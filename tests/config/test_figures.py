"""The literal names of figures against the table of tasks."""

from __future__ import annotations

from typing import get_args

from pipeline.config.figures import ValidationFigure
from pipeline.tasks.task import TASKS, metric_directions


def test_the_figures_are_those_of_the_tasks() -> None:
    # Nothing is trained without answers.
    learning = TASKS.keys() - {"parity"}
    names = {name for task in learning for name in metric_directions(task)}
    assert set(get_args(ValidationFigure)) == names
