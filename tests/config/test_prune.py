"""Pruning schedules and overrides."""

from __future__ import annotations

import pytest

from pipeline.config.prune import LayerPruning, PolynomialPruning, PruneConfig


def test_defaults_reach_the_final_sparsity_before_the_end() -> None:
    schedule = PruneConfig().pruning_schedule
    assert schedule.kind == "polynomial"
    assert schedule.end_step is not None
    assert schedule.end_step.steps(1000, 100) == 700


def test_sparsity_does_not_fall() -> None:
    with pytest.raises(ValueError, match=r"initial_sparsity 0\.9 is above final_sparsity 0\.5"):
        PolynomialPruning(initial_sparsity=0.9, final_sparsity=0.5)


def test_skip_leaves_nothing_to_set() -> None:
    with pytest.raises(ValueError, match="skip: true leaves no sparsity"):
        LayerPruning(skip=True, final_sparsity=0.5)
