"""How much goes where, by hand."""

from __future__ import annotations

import numpy as np

from pipeline.compression.spread import give_back, spread_by_sensitivity, spread_uniformly

SIZES = np.array([10, 20])
REMOVABLE = np.array([9, 19])


def product(counts: np.ndarray) -> float:
    """One matrix between two layers of 10 and 20 units."""
    return float(np.prod(SIZES - counts))


def test_the_same_fraction_everywhere_and_no_more_than_needed() -> None:
    counts = spread_uniformly(SIZES, REMOVABLE, product, 50.0)
    assert counts.tolist() == [5, 10]
    for budget in (10.0, 33.0, 120.0, 199.0):
        counts = spread_uniformly(SIZES, REMOVABLE, product, budget)
        # One more unit of ten in each group, and it would cost too much.
        assert product(counts) <= budget < product(np.maximum(counts - [1, 2], 0))


def test_a_group_that_may_lose_little_leaves_it_to_the_other() -> None:
    counts = spread_uniformly(SIZES, np.array([2, 19]), product, 40.0)
    assert counts.tolist() == [2, 15]


def test_the_group_that_matters_less_loses_more() -> None:
    flat, steep = {5: 0.001, 9: 0.01}, {10: 1.0, 19: 5.0}
    counts = spread_by_sensitivity(REMOVABLE, [flat, steep], product, 100.0)
    assert counts.tolist() == [5, 0]
    reverse = spread_by_sensitivity(REMOVABLE, [{5: 1.0, 9: 5.0}, {19: 0.001}], product, 100.0)
    assert reverse.tolist() == [0, 10]


def test_a_loss_that_falls_by_chance_counts_as_level() -> None:
    """Otherwise a group would be emptied because of the noise of the measurement."""
    noisy = {4: 0.2, 9: -0.1}
    counts = spread_by_sensitivity(REMOVABLE, [noisy, {19: 0.1}], product, 150.0)
    assert counts.tolist() == [0, 5]


def test_a_budget_that_is_met_already_removes_nothing() -> None:
    assert spread_by_sensitivity(REMOVABLE, [{}, {}], product, 200.0).tolist() == [0, 0]


def test_units_come_back_while_the_budget_allows() -> None:
    counts = np.array([5, 10])
    assert give_back(counts, np.array([2, 3]), product, 70.0).tolist() == [3, 10]
    assert give_back(counts, np.array([0, 3]), product, 65.0).tolist() == [5, 7]
    assert counts.tolist() == [5, 10]
