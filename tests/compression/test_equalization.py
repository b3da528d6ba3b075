"""Equalizing factors, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.compression.equalization import (
    equalizing_factors,
    input_ranges,
    output_ranges,
    scale_inputs,
    scale_outputs,
)


def test_both_layers_get_the_geometric_mean() -> None:
    first, second = np.array([8.0, 1.0, 3.0]), np.array([2.0, 4.0, 3.0])
    factors = equalizing_factors(first, second)
    assert factors.tolist() == [2.0, 0.5, 1.0]
    assert (first / factors).tolist() == (second * factors).tolist() == [4.0, 2.0, 3.0]


def test_a_channel_without_weights_is_left_alone() -> None:
    factors = equalizing_factors(np.array([0.0, 5.0, 0.0]), np.array([7.0, 0.0, 0.0]))
    assert factors.tolist() == [1.0, 1.0, 1.0]


def test_ranges_of_a_dense_kernel() -> None:
    kernel = np.array([[1.0, -4.0], [-2.0, 3.0], [0.5, 0.0]])
    assert output_ranges(kernel, np.array([1.0, -0.5])).tolist() == [2.0, 2.0]
    assert input_ranges(kernel, np.array([1.0, 0.5]), 3).tolist() == [2.0, 2.0, 0.5]


def test_behind_a_flatten_a_channel_is_read_at_each_position() -> None:
    # Positions × channels: (p0 c0), (p0 c1), (p1 c0), (p1 c1).
    kernel = np.array([[1.0], [2.0], [-3.0], [0.5]])
    assert input_ranges(kernel, np.ones(1), 2).tolist() == [3.0, 2.0]
    assert scale_inputs(kernel, np.array([2.0, 10.0]))[:, 0].tolist() == [2.0, 20.0, -6.0, 5.0]


def test_a_depthwise_kernel_reads_and_makes_its_channels() -> None:
    kernel = np.array([[[[1.0, -2.0], [3.0, 4.0]]]])  # (1, 1, 2 inputs, multiplier 2)
    factors = np.array([1.0, 10.0, 1.0, 0.1])
    assert output_ranges(kernel, factors).tolist() == [1.0, 20.0, 3.0, pytest.approx(0.4)]
    assert input_ranges(kernel, factors, 2).tolist() == [20.0, 3.0]
    assert scale_outputs(kernel, factors).ravel().tolist() == pytest.approx([1, -20, 3, 0.4])
    assert scale_inputs(kernel, np.array([2.0, 5.0])).ravel().tolist() == [2, -4, 15, 20]
