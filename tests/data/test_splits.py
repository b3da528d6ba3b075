from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.splits import (
    allocate,
    random_sample,
    split_indices,
    split_randomly,
    stratified_sample,
)
from pipeline.errors import DataError

NAMES = ("cat", "dog", "owl")
FRACTIONS = {"test": 0.2, "validation": 0.1}


def test_split_sizes_are_exact_and_stratified() -> None:
    y = np.repeat([0, 1, 2], [50, 30, 20])
    cut = split_indices(y, FRACTIONS, NAMES, seed=0)
    counts = {name: np.bincount(y[indices]).tolist() for name, indices in cut.items()}
    assert counts == {"test": [10, 6, 4], "validation": [5, 3, 2], "train": [35, 21, 14]}


def test_splits_depend_on_the_seed_alone() -> None:
    y = np.arange(90) % 3
    first, again, other = (split_indices(y, FRACTIONS, NAMES, seed) for seed in (0, 0, 1))
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    assert not np.array_equal(first["test"], other["test"])


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(3, 40), min_size=2, max_size=5),
    test=st.floats(0.01, 0.49),
    validation=st.floats(0.01, 0.49),
    seed=st.integers(0, 2**32 - 1),
)
def test_splits_are_disjoint_whole_and_have_every_class(
    counts: list[int], test: float, validation: float, seed: int
) -> None:
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    names = tuple(str(i) for i in range(len(counts)))
    cut = split_indices(y, {"test": test, "validation": validation}, names, seed)
    together = np.concatenate(list(cut.values()))
    np.testing.assert_array_equal(np.sort(together), np.arange(len(y)))
    for indices in cut.values():
        assert indices.dtype == np.int64 and (np.diff(indices) > 0).all()
        assert set(y[indices]) == set(range(len(counts)))


def test_nothing_to_cut_leaves_all_for_training() -> None:
    cut = split_indices(np.arange(6) % 3, {}, NAMES, seed=0)
    np.testing.assert_array_equal(cut["train"], np.arange(6))


def test_class_with_too_few_samples_is_named() -> None:
    y = np.repeat([0, 1, 2], [9, 2, 9])
    with pytest.raises(DataError, match=r"class 1 \(dog\) has 2 samples; expected at least 3, one"):
        split_indices(y, FRACTIONS, NAMES, seed=0)


def test_allocate_gives_the_rest_to_the_largest_remainders() -> None:
    counts = np.array([10, 11, 9])  # quotas of 7: 2.33, 2.57, 2.1
    assert allocate(counts, 7, counts).tolist() == [2, 3, 2]


def test_allocate_keeps_one_of_each_class() -> None:
    counts = np.array([98, 1, 1])
    assert allocate(counts, 10, counts).tolist() == [8, 1, 1]


def test_allocate_stays_below_its_bounds() -> None:
    assert allocate(np.array([5, 5]), 8, np.array([2, 5])).tolist() == [2, 5]


def test_sample_is_stratified_and_from_the_candidates() -> None:
    y = np.repeat([0, 1, 2], [50, 30, 20])
    candidates = np.arange(0, 100, 2)
    chosen = stratified_sample(y, candidates, 10, 3, seed=0)
    assert np.bincount(y[chosen]).tolist() == [5, 3, 2]
    assert set(chosen) <= set(candidates)


def test_sample_larger_than_the_set_is_the_set() -> None:
    indices = np.arange(5)
    assert stratified_sample(np.zeros(5, int), indices, 9, 1, seed=0) is indices


def test_sample_smaller_than_the_classes_is_refused() -> None:
    with pytest.raises(DataError, match="max_train_samples is 2; expected at least 3, one per cl"):
        stratified_sample(np.arange(9) % 3, np.arange(9), 2, 3, seed=0)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(3, 200),
    test=st.floats(0.01, 0.49),
    validation=st.floats(0.01, 0.49),
    seed=st.integers(0, 2**32 - 1),
)
def test_random_splits_are_disjoint_whole_and_not_empty(
    n: int, test: float, validation: float, seed: int
) -> None:
    cut = split_randomly(n, {"test": test, "validation": validation}, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate(list(cut.values()))), np.arange(n))
    for indices in cut.values():
        assert indices.dtype == np.int64 and len(indices) and (np.diff(indices) > 0).all()


def test_random_splits_have_their_sizes_and_depend_on_the_seed() -> None:
    first, again, other = (split_randomly(100, FRACTIONS, seed) for seed in (0, 0, 1))
    assert {name: len(indices) for name, indices in first.items()} == {
        "test": 20, "validation": 10, "train": 70,
    }  # fmt: skip
    np.testing.assert_array_equal(first["test"], again["test"])
    assert not np.array_equal(first["test"], other["test"])


def test_fewer_samples_than_splits_are_refused() -> None:
    with pytest.raises(DataError, match="received 2 samples; expected at least 3, one for each"):
        split_randomly(2, FRACTIONS, 0)


def test_random_sample_is_from_the_candidates() -> None:
    candidates = np.arange(0, 100, 2)
    chosen = random_sample(candidates, 10, seed=0)
    assert len(chosen) == 10 and set(chosen) <= set(candidates) and (np.diff(chosen) > 0).all()
    assert random_sample(candidates, 99, seed=0) is candidates
