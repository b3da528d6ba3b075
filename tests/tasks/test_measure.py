from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.errors import DataError
from pipeline.tasks.measure import (
    answer_agreement,
    mean_interval,
    measure,
    metric_interval,
    predicted_labels,
    sample_losses,
    sample_scores,
)
from pipeline.tasks.task import Task, classification
from tests.tasks.answers import CASES


@pytest.mark.parametrize("name", CASES)
def test_loss_and_score_of_each_sample_by_hand(name: str) -> None:
    task, outputs, y, expected_losses, expected_scores = CASES[name]
    np.testing.assert_allclose(sample_losses(task, outputs, y), expected_losses, rtol=1e-6)
    np.testing.assert_allclose(sample_scores(task, outputs, y), expected_scores, rtol=1e-6)
    figures = measure(task, outputs, y)
    assert figures == {
        "loss": pytest.approx(np.mean(expected_losses), rel=1e-6),
        task.metric: pytest.approx(np.mean(expected_scores), rel=1e-6),
        "samples": len(y),
    }


def test_losses_do_not_overflow() -> None:
    logits = np.array([[1e4, 0.0]], np.float32)
    assert sample_losses(classification(("a", "b")), logits, np.array([1])) == pytest.approx(1e4)
    binary = Task("binary", 1, ("no", "yes"))
    assert sample_losses(binary, np.array([[-1e4]]), np.array([1])) == pytest.approx(1e4)


def test_predicted_labels() -> None:
    binary = Task("binary", 1, ("no", "yes"))
    assert predicted_labels(binary, np.array([[0.1], [-3.0]])).tolist() == [1, 0]
    three = classification(("a", "b", "c"))
    assert predicted_labels(three, np.array([[0, 2, 1], [5, 2, 1]])).tolist() == [1, 0]


def test_answer_agreement_by_task() -> None:
    first = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    second = np.array([[2.0, 0.0], [0.0, 9.0], [0.0, 1.0], [5.0, 1.0]])
    assert answer_agreement(classification(("a", "b")), first, second) == 0.75
    # Labels are told by sign: rows 3 and 4 differ in one or both, 3 of 8 in all.
    assert answer_agreement(Task("multi_label", 2, ("a", "b")), first, second) == 5 / 8
    assert answer_agreement(CASES["regression"][0], first, second) is None
    binary = Task("binary", 1, ("no", "yes"))
    assert answer_agreement(binary, np.array([[1.0], [-1.0]]), np.array([[2.0], [1.0]])) == 0.5


def test_parity_is_the_distance_from_the_float_model() -> None:
    reference = np.array([[0.25, 0.75], [0.5, 0.5]])
    outputs = np.array([[0.75, 0.25], [0.5, 0.5]])
    task = Task("parity", 0, probabilities=True)
    assert measure(task, outputs, reference)["difference"] == 0.25
    assert answer_agreement(task, reference, outputs) == 0.5
    assert answer_agreement(Task("parity", 0), reference, outputs) is None


def test_interval_of_an_accuracy_is_wilsons() -> None:
    # Wilson 1927: 8 of 10 at 95 % is 0.490 to 0.943.
    low, high = metric_interval(classification(("a", "b")), np.array([1.0] * 8 + [0.0] * 2))
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)


def test_interval_of_an_error_is_that_of_a_mean() -> None:
    errors = np.array([1.0, 2.0, 3.0])  # s = 1
    half = 1.959964 / math.sqrt(3)
    assert metric_interval(CASES["regression"][0], errors) == pytest.approx((2 - half, 2 + half))
    assert mean_interval(np.array([4.0])) == (4.0, 4.0)
    assert metric_interval(CASES["regression"][0], np.array([0.0, 0.1]))[0] == 0.0


def test_shapes_that_do_not_fit_are_refused() -> None:
    task = classification(("a", "b", "c"))
    with pytest.raises(DataError, match=r"expects \(2, 3\)"):
        measure(task, np.zeros((2, 2)), np.zeros(2, np.int64))
    with pytest.raises(DataError, match="at least one sample"):
        measure(task, np.zeros((0, 3)), np.zeros(0, np.int64))
