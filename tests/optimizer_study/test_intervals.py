"""Intervals over a few seeds, against SciPy and by hand."""

from __future__ import annotations

import pytest

from pipeline.optimizer_study.intervals import estimate, t_quantile


@pytest.mark.parametrize("degrees", [1, 2, 4, 29, 30, 31, 60, 1000])
def test_the_quantiles_are_those_of_scipy(degrees: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), abs=2e-4)


def test_a_mean_by_hand() -> None:
    # 1, 2, 3: mean 2, standard deviation 1, so ± 4.3027 / √3 = 2.4842.
    found = estimate([1.0, 2.0, 3.0])
    assert found is not None
    assert found["mean"] == 2.0
    assert found["interval"] == pytest.approx([-0.4842, 4.4842], abs=1e-4)


def test_bounds_cut_the_interval_and_one_value_has_none() -> None:
    found = estimate([0.99, 1.0], 0.0, 1.0)
    assert found is not None
    assert found["interval"] is not None
    assert found["interval"][1] == 1.0
    assert estimate([0.5]) == {"mean": 0.5, "interval": None, "values": [0.5]}
    assert estimate([]) is None
