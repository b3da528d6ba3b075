from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.reporting import importance
from pipeline.reporting.importance import MIN_TRIALS, encode, measure_importance, rank


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance, "TREES", 6)
    monkeypatch.setattr(importance, "SHUFFLES", 9)


def make_trials(count: int, weight: float) -> list[dict[str, Any]]:
    """The score is `weight` × rate plus noise; `noise` and `kind` have nothing to do with it."""
    random = np.random.default_rng(3)
    return [
        {
            "hyperparameters": {
                "rate": (rate := float(random.uniform(0.001, 1))),
                "noise": float(random.uniform()),
                "kind": ["relu", "elu"][random.integers(2)],
            },
            "score": weight * rate + float(random.normal(0, 0.1)),
        }
        for _ in range(count)
    ]


def test_what_matters_stands_above_chance_and_noise_does_not() -> None:
    found = measure_importance(make_trials(30, 1.0), frozenset(), 0)
    assert found["reason"] is None and found["trials"] == 30 and found["explained"] > 0.5
    first, *others = found["shares"]
    assert first["path"] == "rate" and first["share"] > 0.5 > first["chance"]
    assert all(row["share"] <= row["chance"] + 0.02 for row in others)


def test_the_same_seed_finds_the_same() -> None:
    first, second = (measure_importance(make_trials(9, 1.0), frozenset(), 1) for _ in range(2))
    assert first == second


def test_pure_noise_explains_nothing_of_unseen_trials() -> None:
    found = measure_importance(make_trials(40, 0.0), frozenset(), 0)
    assert found["explained"] < 0.2


@pytest.mark.parametrize(
    ("trials", "reason"),
    [
        (make_trials(MIN_TRIALS - 1, 1.0), "at least 8 trials"),
        ([{"hyperparameters": {"a": 1}, "score": float(i)} for i in range(9)], "same settings"),
        ([{"hyperparameters": {"a": i}, "score": 0.5} for i in range(9)], "scored the same"),
        ([{"hyperparameters": {"a": i}, "score": None} for i in range(9)], "at least 8 trials"),
    ],
)
def test_too_little_to_tell_is_said(trials: list[dict[str, Any]], reason: str) -> None:
    found = measure_importance(trials, frozenset(), 0)
    assert reason in found["reason"] and found["shares"] == []


def test_encoding_of_ratios_choices_and_missing_values() -> None:
    trials = [{"hyperparameters": h} for h in ({"a": 1.0, "b": "x"}, {"a": 100.0}, {"b": "w"})]
    column = encode(trials, "a", True)
    assert column[1] - column[0] == pytest.approx(np.log(100)) and column[2] < column[0]
    # In the order of their names, w before x; a missing one lies below both.
    assert list(encode(trials, "b", False)) == [1.0, -1.0, 0.0]


def test_ranks_share_their_mean() -> None:
    assert list(rank(np.array([3.0, 1e9, 3.0, -1.0]))) == [2.5, 4.0, 2.5, 1.0]
