"""Search spaces and what each algorithm takes."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.tune import ChoiceSpace, FloatSpace, IntSpace, TuneConfig


def test_each_algorithm_gets_its_own_default() -> None:
    random = TuneConfig.model_validate({})
    assert (random.algorithm, random.max_trials, random.factor) == ("random", 10, None)
    hyperband = TuneConfig.model_validate({"algorithm": "hyperband"})
    assert (hyperband.max_trials, hyperband.factor) == (None, 3)
    assert list(random.search_space) == ["train.optimizer.learning_rate"]


def test_spaces_are_told_by_their_key() -> None:
    space = TuneConfig.model_validate(
        {
            "search_space": {
                "a": {"float": [0, 1]},
                "b": {"int": [1, 5], "step": 2},
                "c": {"choice": [1, "x", True]},
            }
        }
    ).search_space
    assert [type(values) for values in space.values()] == [FloatSpace, IntSpace, ChoiceSpace]


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"float": [0, 1], "sampling": "log"}, "sampling log needs a low above 0"),
        ({"float": [0, 1], "step": 2}, "wider than the range"),
        ({"float": [1, 8], "step": 1, "sampling": "log"}, "step goes with sampling linear"),
        ({"int": [5, 5]}, "low < high"),
        ({"choice": [1, 1]}, "each value once"),
        ({"choice": [1]}, "at least 2"),
        ({"float": [0, float("nan")]}, "finite"),
    ],
)
def test_spaces_that_make_no_sense_are_refused(space: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TuneConfig.model_validate({"search_space": {"a": space}})
