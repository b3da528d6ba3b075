"""Statistics against numbers worked out by hand or printed in books."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.compression.statistics import (
    accuracy_interval,
    compare,
    mcnemar,
    output_spread,
)
from pipeline.errors import DataError, PromiseError


def test_wilson_interval_of_newcombes_example() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 gives 0.2553 to 0.3662.
    low, high = accuracy_interval(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_wilson_interval_at_the_ends() -> None:
    # Newcombe: 0 of 20 gives 0 to 0.1611; by symmetry 20 of 20.
    low, high = accuracy_interval(0, 20)
    assert low == 0.0
    assert round(high, 4) == 0.1611
    assert accuracy_interval(20, 20)[1] == 1.0
    assert accuracy_interval(20, 20)[0] == pytest.approx(1 - high)


@pytest.mark.parametrize(("correct", "samples"), [(0, 0), (3, 2), (-1, 2)])
def test_wilson_interval_refuses_impossible_counts(correct: int, samples: int) -> None:
    with pytest.raises(DataError, match="0 ≤ correct ≤ samples"):
        accuracy_interval(correct, samples)


def _correctness(first_only: int, second_only: int, both: int) -> tuple[np.ndarray, np.ndarray]:
    first = np.array([True] * first_only + [False] * second_only + [True] * both)
    second = np.array([False] * first_only + [True] * second_only + [True] * both)
    return first, second


def test_mcnemar_exact() -> None:
    # n = 4, k = 1: 2 · (1 + 4) / 16 = 0.625.
    result = mcnemar(*_correctness(3, 1, 10))
    assert (result.first_only, result.second_only) == (3, 1)
    assert result.p_value == 0.625
    # n = 6, k = 0: 2 / 64.
    assert mcnemar(*_correctness(0, 6, 2)).p_value == 0.03125


def test_mcnemar_without_or_with_equal_disagreement_is_one() -> None:
    assert mcnemar(*_correctness(0, 0, 5)).p_value == 1.0
    assert mcnemar(*_correctness(3, 3, 5)).p_value == 1.0


def test_mcnemar_of_thousands_stays_finite() -> None:
    p_value = mcnemar(*_correctness(2600, 2400, 0)).p_value
    # Normal approximation with continuity correction: z = 199 / sqrt(5000) = 2.814, p = 0.0049.
    assert p_value == pytest.approx(math.erfc(199 / math.sqrt(5000) / math.sqrt(2)), rel=0.01)


def test_mcnemar_refuses_other_lengths() -> None:
    with pytest.raises(DataError, match="same shape"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))


def test_spread_is_over_samples_and_not_over_outputs() -> None:
    # Outputs vary by (0, 2) over samples: variances 0 and 1, mean 0.5.
    assert output_spread(np.array([[5.0, -1.0], [5.0, 1.0]])) == pytest.approx(math.sqrt(0.5))
    assert output_spread(np.array([[0.0, 100.0], [0.0, 100.0]])) == 0.0


def test_compare_by_hand() -> None:
    reference = np.array([[0.0, 2.0], [4.0, 2.0]])  # variances 4 and 0: spread sqrt(2)
    outputs = np.array([[0.5, 2.0], [1.0, 2.0]])  # differences 0.5, 0, 3, 0
    result = compare(reference, outputs)
    assert result.samples == 2
    assert result.spread == pytest.approx(math.sqrt(2))
    assert result.max_difference == pytest.approx(3 / math.sqrt(2))
    assert result.mean_difference == pytest.approx(3.5 / 4 / math.sqrt(2))


def test_compare_refuses_a_reference_that_proves_nothing() -> None:
    with pytest.raises(PromiseError, match="proves nothing"):
        compare(np.ones((3, 2)), np.ones((3, 2)))
    with pytest.raises(PromiseError, match="1 samples"):
        compare(np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]]))


def test_compare_refuses_nan_and_other_shapes() -> None:
    with pytest.raises(DataError, match="the outputs hold NaN"):
        compare(np.eye(2), np.array([[np.nan, 0.0], [0.0, 1.0]]))
    with pytest.raises(DataError, match="same shape"):
        compare(np.eye(2), np.eye(3))
