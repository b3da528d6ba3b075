from __future__ import annotations

import numpy as np

from pipeline.compression.histograms import count_values, dequantize


def test_counts_by_hand() -> None:
    found = count_values(np.array([[-1.0, 0.0, 0.0], [0.4, 1.0, -0.2]]), bins=4)
    # Bins of width 0.5 from -1 to 1; zeros apart.
    assert (found.low, found.high, found.counts) == (-1.0, 1.0, (1, 1, 1, 1))
    assert (found.parameters, found.zeros, found.distinct) == (6, 2, 5)
    assert found.to_json()["counts"] == [1, 1, 1, 1]


def test_the_range_reaches_to_zero() -> None:
    found = count_values(np.array([2.0, 4.0]), bins=2)
    assert (found.low, found.high, found.counts) == (0.0, 4.0, (0, 2))


def test_nothing_but_zeros_and_values_that_are_no_numbers() -> None:
    assert count_values(np.zeros(3), bins=2).counts == (0, 0)
    found = count_values(np.array([np.nan, np.inf, 1.0]), bins=1)
    assert (found.low, found.high, found.counts) == (0.0, 1.0, (1,))


def test_dequantize_in_blocks() -> None:
    codes = np.array([[1, 2, 3, 4], [0, -1, 7, -8]], np.int8)
    found = dequantize(codes, np.array([1.0, 10.0, 0.5, 2.0]), np.array([]), block_size=2)
    assert found.tolist() == [[1.0, 2.0, 30.0, 40.0], [0.0, -0.5, 14.0, -16.0]]


def test_dequantize_per_tensor_and_per_channel() -> None:
    codes = np.array([[1, -3], [0, 2]], np.int8)
    assert dequantize(codes, np.array([0.5]), np.array([1])).tolist() == [[0.0, -2.0], [-0.5, 0.5]]
    rows = dequantize(codes, np.array([1.0, 10.0]), np.array([0, 0]), 0)
    assert rows.tolist() == [[1.0, -3.0], [0.0, 20.0]]
    columns = dequantize(codes, np.array([1.0, 10.0]), np.array([0, 0]), 1)
    assert columns.tolist() == [[1.0, -30.0], [0.0, 20.0]]
    assert dequantize(codes, np.array([]), np.array([])).tolist() == codes.tolist()
