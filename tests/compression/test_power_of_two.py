"""Powers of two and codes in them, by hand."""

from __future__ import annotations

import numpy as np

from pipeline.compression.power_of_two import requantize, round_up_to_power_of_two


def test_the_next_power_of_two_and_one_that_is() -> None:
    found = round_up_to_power_of_two(np.array([0.3, 0.25, 0.26, 1.0, 3.0, 2.0**-40]))
    assert found.tolist() == [0.5, 0.25, 0.5, 1.0, 4.0, 2.0**-40]


def test_codes_of_each_channel_in_its_new_scale() -> None:
    codes = np.array([[100, 0, -127], [5, -8, 3]], np.int8)
    found = requantize(codes, np.array([0.6, 1.0]), 0)
    assert found.dtype == np.int8 and found.tolist() == [[60, 0, -76], [5, -8, 3]]
    assert requantize(codes, np.array([1.0, 1.0, 0.5]), 1)[:, 2].tolist() == [-64, 2]
    # rounded to even: 2.5 and 1.5
    assert requantize(codes, np.array([0.5]), 0).tolist() == [[50, 0, -64], [2, -4, 2]]
