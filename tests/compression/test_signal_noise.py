"""Signal-to-quantization-noise ratio, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.compression.signal_noise import ErrorPower, find_outlier
from pipeline.errors import DataError


def test_the_ratio_of_power_in_decibels() -> None:
    power = ErrorPower()
    power.add(np.array([3.0, 4.0]), np.array([3.5, 4.0]))  # Σx² = 25, Σe² = 0.25
    assert (power.signal, power.noise, power.elements) == (25.0, 0.25, 2)
    assert power.sqnr_db == pytest.approx(20.0)
    power.add(np.array([[5.0]]), np.array([[3.5]]))  # Σx² = 50, Σe² = 2.5
    assert power.sqnr_db == pytest.approx(10 * math.log10(20))


@pytest.mark.parametrize(
    ("reference", "values"),
    [([1.0], [1.0]), ([1.0], [1.0 + 1e-7]), ([0.0], [1.0]), ([1.0], [math.nan])],
)
def test_without_noise_or_signal_there_is_no_ratio(
    reference: list[float], values: list[float]
) -> None:
    power = ErrorPower()
    assert power.sqnr_db is None
    power.add(np.array(reference), np.array(values))
    assert power.sqnr_db is None


def test_shapes_must_be_equal() -> None:
    with pytest.raises(DataError, match=r"values of shape \(2,\): expected \(1, 2\)"):
        ErrorPower().add(np.zeros((1, 2)), np.zeros(2))


@pytest.mark.parametrize(
    ("ratios", "place"),
    [
        ([40.0, 38.0, 30.0, None, 42.0], 2),  # 10 below 40, the median of 38, 40, 42
        ([40.0, 38.0, 30.5, 42.0], None),
        ([40.0, 31.0, 28.0, 42.0, 40.0], None),  # two are low: none stands out alone
        ([40.0, 10.0], None),
        ([None, 40.0, None], None),
        ([], None),
    ],
)
def test_one_layer_stands_out_or_none(ratios: list[float | None], place: int | None) -> None:
    assert find_outlier(ratios) == place
