"""Zeros and distinct values, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.compression.sparsity import (
    TensorSparsity,
    count_distinct,
    count_values,
    count_zeros,
    measure_tensor,
    overall_sparsity,
)


def test_zeros_of_floats_include_negative_zero_but_not_nan() -> None:
    assert count_zeros(np.array([0.0, -0.0, 1e-30, np.nan, 2.0], np.float32)) == 2


def test_zeros_are_relative_to_the_zero_point() -> None:
    values = np.array([[3, 0, 3], [3, 1, 2]], np.int8)
    assert count_zeros(values) == 1
    assert count_zeros(values, 3) == 3


@pytest.mark.parametrize(("dimension", "points", "expected"), [(0, [3, 2], 3), (1, [3, 0, 2], 4)])
def test_zero_points_per_channel(dimension: int, points: list[int], expected: int) -> None:
    values = np.array([[3, 0, 3], [3, 1, 2]], np.int8)
    # axis 0: row 0 has two 3s, row 1 one 2; axis 1: two 3s, one 0, one 2.
    assert count_zeros(values, np.array(points), dimension) == expected


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "float16", "float32"])
def test_distinct_values_of_every_dtype(dtype: str) -> None:
    assert count_distinct(np.array([[1, 2, 2], [1, 100, 0]], dtype)) == 4


def test_distinct_values_of_signed_codes() -> None:
    assert count_distinct(np.array([-128, 127, -1, -1], np.int8)) == 3
    assert count_distinct(np.array([0.0, -0.0], np.float32)) == 1


def test_how_often_each_value_occurs() -> None:
    # −128 and 127 are 0x80 and 0x7f as bytes.
    assert sorted(count_values(np.array([-128, 127, 127, -1, 127], np.int8))) == [1, 1, 3]
    assert sorted(count_values(np.array([[0.5, -0.0], [0.0, 0.0]], np.float32))) == [1, 3]
    assert count_values(np.zeros(0, np.int8)).size == 0


def test_overall_sparsity_weighs_by_size_and_not_by_tensor() -> None:
    small, large = TensorSparsity(10, 10, 1), TensorSparsity(90, 0, 5)
    assert overall_sparsity([small, large]) == pytest.approx(0.1)
    assert overall_sparsity([]) == 0.0


def test_measure_tensor() -> None:
    counted = measure_tensor(np.array([0, 0, 0, 7], np.int8))
    assert counted == TensorSparsity(parameters=4, zeros=3, distinct=2)
    assert counted.sparsity == 0.75
    assert counted.to_json()["sparsity"] == 0.75
    assert TensorSparsity(0, 0, 0).sparsity == 0.0
