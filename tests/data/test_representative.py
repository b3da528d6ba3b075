from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.prepared import Split
from pipeline.data.representative import choose_representative
from pipeline.errors import ConfigError
from pipeline.tasks.task import Task, classification

THREE = classification(("a", "b", "c"))


def choose(y: np.ndarray, count: int, seed: int, task: Task = THREE) -> np.ndarray:
    return choose_representative(Split(np.zeros((len(y), 1)), y), task, count, seed)


def test_classes_are_balanced_where_there_are_enough() -> None:
    y = np.repeat([0, 1, 2], [900, 90, 10])
    chosen = choose(y, 30, seed=0)
    assert np.bincount(y[chosen]).tolist() == [10, 10, 10]


def test_small_class_leaves_its_share_to_the_others() -> None:
    y = np.repeat([0, 1, 2], [900, 90, 4])
    assert np.bincount(y[choose(y, 30, seed=0)]).tolist() == [13, 13, 4]


def test_odd_rest_spreads_over_classes() -> None:
    y = np.arange(100) % 10
    counts = np.bincount(y[choose(y, 25, seed=3)], minlength=10)
    assert counts.sum() == 25
    assert set(counts) == {2, 3}


def test_indices_are_sorted_unique_and_seeded() -> None:
    y = np.arange(100) % 10
    first, again, other = (choose(y, 20, seed) for seed in (0, 0, 1))
    assert first.dtype == np.int64 and (np.diff(first) > 0).all()
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_more_than_there_are_is_all() -> None:
    assert choose(np.arange(6) % 2, 99, 0).tolist() == [0, 1, 2, 3, 4, 5]


def test_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="representative_samples is 0; expected at least 1"):
        choose(np.arange(3), 0, 0)


def test_answers_that_are_no_classes_are_not_looked_at() -> None:
    task = Task("regression", 1, ("price",), (1.0,), (0.0,))
    y = np.random.default_rng(0).normal(size=(50, 1)).astype(np.float32)
    chosen = choose(y, 20, 0, task)
    assert len(chosen) == 20 and (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, choose(y * 0, 20, 0, task))


@pytest.mark.parametrize("name", ["multi_label", "regression", "reconstruction"])
def test_tasks_without_one_class_per_sample_are_drawn_at_random(name: str) -> None:
    y = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    first, again, other = (choose(y, 12, seed, Task(name, 2)) for seed in (0, 0, 1))
    assert first.dtype == np.int64 and len(first) == 12 and (np.diff(first) > 0).all()
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
