from __future__ import annotations

import math

import pytest

from pipeline.compression.paired import is_significant, paired_difference, paired_interval


def test_difference_counts_only_disagreements() -> None:
    assert paired_difference(5, 1, 360) == pytest.approx(-4 / 360)


def test_interval_by_hand() -> None:
    # Cells after half an observation each: 5.5 lost, 1.5 won, n = 362; centre -4/362,
    # deviation sqrt(7 - 16/362) / 362 = sqrt(6.955801) / 362 = 0.0072856.
    low, high = paired_interval(5, 1, 360)
    assert low == pytest.approx(-0.0110497 - 1.959964 * 0.0072856, abs=1e-6)
    assert high == pytest.approx(-0.0110497 + 1.959964 * 0.0072856, abs=1e-6)


def test_full_agreement_still_has_an_interval() -> None:
    low, high = paired_interval(0, 0, 360)
    assert low == pytest.approx(-high)
    assert high == pytest.approx(1.959964 * math.sqrt(1.0) / 362, abs=1e-6)


def test_interval_stays_within_bounds() -> None:
    assert paired_interval(3, 0, 3)[0] >= -1.0


def test_significance_level() -> None:
    assert is_significant(0.0499)
    assert not is_significant(0.05)
