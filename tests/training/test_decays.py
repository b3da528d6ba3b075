"""Each factor by hand at a few steps, and what holds of it everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.training.decays import (
    cosine_factors,
    cosine_restart_factors,
    exponential_factors,
    hold_then_decay_factors,
    inverse_time_factors,
    one_cycle_factors,
    piecewise_factors,
    polynomial_factors,
    step_factors,
)

T = np.arange(9.0)
SIZES = st.integers(2, 300)
FRACTIONS = st.floats(0, 1)


def test_step() -> None:
    assert step_factors(T, 0.5, 3).tolist() == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]


def test_piecewise_changes_with_the_step_of_the_boundary() -> None:
    assert piecewise_factors(T, [2, 5], [1, 3, 0.5]).tolist() == [1, 1, 3, 3, 3] + [0.5] * 4
    assert piecewise_factors(T[:3], [7], [1, 0.1]).tolist() == [1, 1, 1], "never reached"


def test_exponential() -> None:
    smooth = exponential_factors(T, 0.25, 4, False)
    np.testing.assert_allclose(smooth[:5], [1, 0.5**0.5, 0.5, 0.5**1.5, 0.25])
    assert exponential_factors(T, 0.25, 4, True).tolist() == [1] * 4 + [0.25] * 4 + [0.0625]


def test_inverse_time() -> None:
    assert inverse_time_factors(T, 1.0, 4, False)[[0, 4, 8]].tolist() == [1, 1 / 2, 1 / 3]
    assert inverse_time_factors(T, 1.0, 4, True)[[3, 4, 7]].tolist() == [1, 1 / 2, 1 / 2]


def test_polynomial() -> None:
    assert polynomial_factors(T, 1.0, 0.0, 4, False).tolist() == [1, 0.75, 0.5, 0.25] + [0] * 5
    assert polynomial_factors(T, 2.0, 0.5, 4, False)[:3].tolist() == [1, 0.78125, 0.625]


def test_a_polynomial_cycle_rises_again_and_falls_more_slowly() -> None:
    # From t = 5 to 8 the fall goes to 0 at 8: 1 - 5/8, 1 - 6/8, …
    expected = [1, 0.75, 0.5, 0.25, 0, 0.375, 0.25, 0.125, 0]
    assert polynomial_factors(T, 1.0, 0.0, 4, True).tolist() == expected


def test_cosine() -> None:
    assert cosine_factors(T, 0.0, 8)[[0, 4, 8]].tolist() == pytest.approx([1, 0.5, 0])
    assert cosine_factors(T, 0.2, 8)[[0, 4, 8]].tolist() == pytest.approx([1, 0.6, 0.2])


def test_cosine_restarts() -> None:
    # Periods of 2 and 4 steps, then 8; each half as high as the one before.
    factors = cosine_restart_factors(T, 2, 2.0, 0.5, 0.0)
    assert factors[[0, 1, 2, 4, 6]].tolist() == pytest.approx([1, 0.5, 0.5, 0.25, 0.25])
    plain = cosine_restart_factors(T, 4, 1.0, 1.0, 0.1)
    assert plain[[0, 2, 4, 6, 8]].tolist() == pytest.approx([1, 0.55, 1, 0.55, 1])


def test_one_cycle_linear() -> None:
    factors = one_cycle_factors(T, 5, 0.2, 0.0, "linear")
    assert factors.tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 0.75, 0.5, 0.25, 0])


def test_one_cycle_cosine() -> None:
    factors = one_cycle_factors(T, 5, 0.2, 0.1, "cosine")
    assert factors[[0, 2, 4, 6, 8]].tolist() == pytest.approx([0.2, 0.6, 1, 0.55, 0.1])


def test_hold_then_decay_is_the_recipe_of_the_tutorials() -> None:
    """def scheduler(epoch, rate): return rate if epoch < 10 else rate * exp(-0.1)."""
    rate, expected = 1.0, []
    for epoch in range(15):
        rate = rate if epoch < 10 else rate * np.exp(-0.1)
        expected += [rate] * 3
    np.testing.assert_allclose(hold_then_decay_factors(np.arange(45.0), 30, 0.1, 3), expected)


@given(SIZES, st.floats(0.1, 5), FRACTIONS, st.integers(1, 300), st.booleans())
def test_a_polynomial_stays_between_its_ends(
    n: int, power: float, final: float, decay_steps: int, cycle: bool
) -> None:
    factors = polynomial_factors(np.arange(float(n)), power, final, decay_steps, cycle)
    assert factors[0] == 1.0
    assert np.all(factors >= final) and np.all(factors <= 1.0)


@given(SIZES, st.integers(1, 300), st.floats(1, 4), st.floats(0.1, 1), FRACTIONS)
def test_cosine_restarts_stay_between_their_ends(
    n: int, first: int, t_mul: float, m_mul: float, final: float
) -> None:
    factors = cosine_restart_factors(np.arange(float(n)), first, t_mul, m_mul, final)
    assert factors[0] == 1.0 and factors.shape == (n,)
    assert np.all(factors >= final - 1e-12) and np.all(factors <= 1.0 + 1e-12)
    if first >= n:
        np.testing.assert_allclose(
            factors, cosine_factors(np.arange(float(n)), final, first), atol=1e-12
        )


@given(st.integers(4, 300), st.data(), FRACTIONS, FRACTIONS, st.sampled_from(["cosine", "linear"]))
def test_one_cycle_has_one_top(
    n: int, data: st.DataObject, initial: float, final: float, anneal: str
) -> None:
    rise = data.draw(st.integers(2, n - 1))
    factors = one_cycle_factors(np.arange(float(n)), rise, initial, final, anneal)
    assert factors[[0, rise - 1, -1]].tolist() == pytest.approx([initial, 1.0, final])
    assert np.all(np.diff(factors[:rise]) >= -1e-12) and np.all(np.diff(factors[rise:]) <= 1e-12)
