from __future__ import annotations

from typing import Any

import pytest

from pipeline.models.told_task import TASK_OF_LOSS, infer_task
from pipeline.tasks.task import TASKS

IMAGE = (28, 28, 1)


@pytest.mark.parametrize(
    ("loss", "activation", "outputs", "answers", "expected"),
    [
        ("sparse_categorical_crossentropy", None, (10,), "unknown", "classification"),
        ("binary_crossentropy", "sigmoid", (1,), "classes", "binary"),
        ("binary_crossentropy", "sigmoid", (5,), "unknown", "multi_label"),
        ("binary_crossentropy", "sigmoid", (5,), "classes", "classification"),
        ("mean_squared_error", "linear", (2,), "numbers", "regression"),
        ("mean_squared_error", "sigmoid", IMAGE, "unknown", "reconstruction"),
        (None, "softmax", (10,), "unknown", "classification"),
        (None, "sigmoid", (1,), "unknown", "binary"),
        (None, "sigmoid", (3,), "unknown", "multi_label"),
        (None, "linear", (10,), "classes", "classification"),
        (None, "linear", (1,), "classes", "binary"),
        (None, "linear", (10,), "numbers", "regression"),
        (None, "linear", (10,), "unknown", "classification"),
        (None, "linear", (1,), "unknown", "regression"),
        (None, "linear", IMAGE, "unknown", "reconstruction"),
        ("my_own_loss", "softmax", (10,), "unknown", "classification"),
    ],
)
def test_the_task_of_a_model(
    loss: str | None, activation: str, outputs: tuple[int, ...], answers: Any, expected: str
) -> None:
    task, reason = infer_task(loss, activation, IMAGE, outputs, answers)
    assert task == expected
    assert reason
    assert set(TASK_OF_LOSS.values()) <= set(TASKS)


def test_the_reason_tells_what_was_looked_at() -> None:
    assert infer_task("huber", None, (4,), (1,)) == ("regression", "its loss is huber")
    assert infer_task(None, "softmax", (4,), (3,))[1] == "it ends in softmax"
