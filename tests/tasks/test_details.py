from __future__ import annotations

import json
import math

import numpy as np
import pytest

from pipeline.tasks.details import LARGEST_CONFUSION, area_under_curve, confusion_matrix, details
from pipeline.tasks.task import Task, classification
from tests.tasks.answers import CASES


def test_confusion_rows_are_true_classes() -> None:
    matrix = confusion_matrix(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1]), 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]


def test_recall_and_precision_of_classes() -> None:
    outputs = np.eye(3)[[0, 1, 1, 1]]
    found = details(classification(("a", "b", "c")), outputs, np.array([0, 0, 1, 2]))
    assert found["confusion"] == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    assert found["recall"] == [0.5, 1.0, 0.0]
    assert found["precision"] == [1.0, pytest.approx(1 / 3), None]


def test_no_confusion_of_very_many_classes() -> None:
    count = LARGEST_CONFUSION + 1
    task = classification(tuple(map(str, range(count))))
    found = details(task, np.eye(count), np.arange(count))
    assert found["confusion"] is None and found["recall"] == [1.0] * count


def test_area_under_curve_by_hand() -> None:
    # Positives 0.8, 0.3 against negatives 0.5, 0.3: 0.8 beats both, 0.3 ties once: 2.5 of 4.
    logits, y = np.array([0.8, 0.3, 0.5, 0.3]), np.array([1, 1, 0, 0])
    assert area_under_curve(logits, y) == 2.5 / 4
    assert area_under_curve(logits, np.ones(4)) is None


def test_labels_of_a_multi_label_task() -> None:
    task, outputs, y, *_ = CASES["multi_label"]
    found = details(task, outputs, y)
    # cat: said 1, true 1, hit 1; dog: said 2, true 1, hit 1.
    assert found["f1_micro"] == pytest.approx(2 * 2 / (3 + 2))
    assert found["exact_match"] == 0.5
    assert found["labels"][1] == {
        "label": "dog", "precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3),
    }  # fmt: skip


def test_errors_of_a_regression_in_source_units() -> None:
    task, outputs, y, *_ = CASES["regression"]
    found = details(task, outputs, y)
    # Errors in source units: 10, 0, 0, 4; in y: squares 1 + 4 against a spread of 0.5.
    assert found["rmse"] == pytest.approx(math.sqrt(116 / 4))
    assert found["r2"] == pytest.approx(1 - 5 / 0.5)
    assert details(task, y, np.zeros_like(y))["r2"] is None


def test_noise_of_a_reconstruction() -> None:
    task, outputs, y, *_ = CASES["reconstruction"]
    assert details(task, outputs, y) == {"psnr": pytest.approx(0.0)}  # MSE 1, peak 1
    assert details(task, y, y) == {"psnr": None}


@pytest.mark.parametrize("name", CASES)
def test_details_are_json(name: str) -> None:
    task, outputs, y, *_ = CASES[name]
    json.dumps(details(task, outputs, y), allow_nan=False)


def test_auc_stands_with_a_binary_task_only() -> None:
    task, outputs, y, *_ = CASES["binary"]
    assert details(task, outputs, y)["auc"] == pytest.approx(0.75)
    assert "auc" not in details(Task("classification", 2, ("a", "b")), np.eye(2), np.arange(2))
