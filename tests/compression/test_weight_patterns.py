"""Blocks and groups, counted by hand."""

from __future__ import annotations

import numpy as np

from pipeline.compression.weight_patterns import block_means, count_groups, count_zero_blocks

MATRIX = np.array([[0, 0, 1, -3], [0, 0, 0, 4], [0, 0, 0, 0], [5, 0, 0, 0]], np.int8)


def test_means_of_blocks() -> None:
    assert block_means(MATRIX, 2, 2).tolist() == [[0, 2], [1.25, 0]]
    assert block_means(MATRIX, 4, 1).tolist() == [[1.25, 0, 0.25, 1.75]]


def test_the_smallest_integer_is_no_zero() -> None:
    assert block_means(np.array([[-128, 0]], np.int8), 1, 2).tolist() == [[64.0]]


def test_zero_blocks() -> None:
    assert count_zero_blocks(MATRIX, 2, 2) == 2
    assert count_zero_blocks(MATRIX, 1, 4) == 1
    assert count_zero_blocks(MATRIX, 4, 1) == 1


def test_groups_in_a_row() -> None:
    assert count_groups(MATRIX, 2, 4) == 4
    assert count_groups(MATRIX, 3, 4) == 3
    assert count_groups(MATRIX, 1, 2) == 7
    assert count_groups(MATRIX.T, 2, 4) == 4
