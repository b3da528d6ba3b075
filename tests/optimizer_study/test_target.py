"""The loss that counts as converged."""

from __future__ import annotations

import pytest

from pipeline.optimizer_study.target import choose_target, epochs_to, lowest_loss
from tests.optimizer_study.conftest import outcome_of


def test_ninety_per_cent_of_the_way_to_the_best_median() -> None:
    outcomes = {
        "good": [outcome_of([2, 0.2, 0.3]), outcome_of([2, 0.4]), outcome_of([2, 0.3])],
        "lucky": [outcome_of([2, 0.001]), outcome_of([2, 1.9]), outcome_of([2, 1.8])],
        "lost": [],
    }
    # untrained 2.3, best median 0.3: 2.3 − 0.9 · 2 = 0.5
    assert choose_target([2.2, 2.4], outcomes) == pytest.approx(0.5)


def test_the_first_epoch_at_or_below_the_target_counts() -> None:
    history = outcome_of([1.0, 0.5, 0.7, 0.2])["history"]
    assert epochs_to(history, 0.5) == 2
    assert epochs_to(history, 0.4) == 4
    assert epochs_to(history, 0.1) is None
    assert lowest_loss(history) == 0.2
