"""Ties, slices and costs, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.compression.channels import Cost, Sliced, Ties, count_channels


def test_ties_are_transitive_and_the_lowest_label_stands_for_all() -> None:
    ties = Ties()
    first, second, third = ties.new(2), ties.new(2), ties.new(1)
    assert (first.tolist(), second.tolist(), third.tolist()) == ([0, 1], [2, 3], [4])
    ties.tie(second, first)
    ties.tie(third, second[1:])
    assert ties.roots(np.arange(len(ties))).tolist() == [0, 1, 0, 1, 1]


def test_ties_of_different_length_are_a_bug() -> None:
    ties = Ties()
    with pytest.raises(ValueError, match="zip"):
        ties.tie(ties.new(2), ties.new(3))


def test_a_slice_takes_the_entries_of_kept_units() -> None:
    # Two channels in, flattened from two places; three out.
    array = np.arange(12).reshape(4, 3)
    sliced = Sliced((4, 3), {0: np.array([0, 1, 0, 1]), 1: np.array([2, 3, 4])})
    kept = np.array([False, True, True, False, True])
    assert sliced.kept_shape(kept) == (2, 2)
    assert sliced.take(array, kept).tolist() == [[3, 5], [9, 11]]
    assert sliced.kept_shape(np.ones(5, bool)) == (4, 3)


def test_a_cost_is_the_sum_of_what_is_left() -> None:
    kernel = Sliced((2, 3), {0: np.array([0, 1]), 1: np.array([2, 3, 4])})
    bias = Sliced((3,), {0: np.array([2, 3, 4])})
    cost = Cost(10, [(5.0, kernel), (1.0, bias)])
    assert cost.of(np.ones(5, bool)) == 10 + 5 * 6 + 3
    assert cost.of(np.array([True, False, True, True, False])) == 10 + 5 * 2 + 2


def test_channels_of_each_layer_by_unit() -> None:
    counted = count_channels([np.array([0, 1, 1]), np.array([3])], 4)
    assert counted.tolist() == [[1, 2, 0, 0], [0, 0, 0, 1]]
