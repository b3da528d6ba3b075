from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.splits import allocate, split_indices, stratified_sample
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
