"""Durations: three units, one number of steps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.duration import Duration


@pytest.mark.parametrize(
    ("value", "steps"),
    [
        (300, 300),
        ("300 steps", 300),
        ("1 step", 1),
        ("2 epochs", 80),
        ("0.5epochs", 20),
        ("25%", 100),
        ("100 %", 400),
        ("0%", 0),
    ],
)
def test_steps_of_400_in_epochs_of_40(value: object, steps: int) -> None:
    assert Duration.parse(value).steps(400, 40) == steps


@pytest.mark.parametrize("value", [-1, 1.5, True, None, "x", "-3 steps", "101%", "3 days", "3"])
def test_the_rest_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        Duration.parse(value)


@given(
    st.integers(0, 10**6)
    | st.integers(0, 100).map("{}%".format)
    | st.integers(0, 1000).map("{} epochs".format)
)
def test_the_text_reads_back_to_an_equal_duration(value: object) -> None:
    duration = Duration.parse(value)
    assert Duration.parse(duration.text()) == duration
