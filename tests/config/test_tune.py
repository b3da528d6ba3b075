"""Search spaces and what each algorithm takes."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import as_plain_data, validate
from pipeline.config.search_space import ChoiceSpace, FloatSpace, IntSpace, ListSpace
from pipeline.config.tune import Constraints, TuneConfig


def test_each_algorithm_gets_its_own_default() -> None:
    random = TuneConfig.model_validate({})
    assert (random.algorithm, random.max_trials, random.factor) == ("random", 10, None)
    hyperband = TuneConfig.model_validate({"algorithm": "hyperband"})
    assert (hyperband.max_trials, hyperband.factor) == (None, 3)
    evolution = TuneConfig.model_validate({"algorithm": "evolution"})
    assert (evolution.max_trials, evolution.population_size, evolution.tournament_size) == (
        50,
        10,
        3,
    )
    grid = TuneConfig.model_validate({"algorithm": "grid"})
    assert (grid.max_trials, grid.population_size, grid.factor) == (None, None, None)
    assert list(random.search_space) == ["train.optimizer.learning_rate"]


def test_spaces_are_told_by_their_key() -> None:
    space = TuneConfig.model_validate(
        {
            "search_space": {
                "a": {"float": [0, 1]},
                "b": {"int": [1, 5], "step": 2},
                "c": {"choice": [1, "x", True, [8, 8], None, {"kind": "cosine"}]},
                "d": {"list": {"int": [1, 5]}, "length": [1, 2]},
            }
        }
    ).search_space
    kinds = [type(values) for values in space.values()]
    assert kinds == [FloatSpace, IntSpace, ChoiceSpace, ListSpace]


def test_conditions_are_one_value_or_several() -> None:
    space = TuneConfig.model_validate(
        {"search_space": {"a": {"int": [1, 5], "when": {"b": "x", "c": [1, 2]}}}}
    ).search_space
    assert space["a"].conditions() == {"b": ("x",), "c": (1, 2)}


def test_a_whole_configuration_comes_back_from_plain_data() -> None:
    space = {
        "model.units": {"list": {"int": [16, 128], "sampling": "log"}, "length": 2},
        "model.dropout": {"float": [0, 0.5], "when": {"train.batch_size": [16, 32]}},
        "train.batch_size": {"choice": [16, 32, 64]},
    }
    config = validate({"tune": {"search_space": space, "constraints": {"max_gzip_bytes": 9}}})
    assert validate(as_plain_data(config)) == config
    assert config.tune.constraints.given() == {"max_gzip_bytes": 9}


@pytest.mark.parametrize(
    ("tune", "message"),
    [
        (
            {"algorithm": "hyperband", "max_trials": 9},
            "hyperband counts its own trials from epochs",
        ),
        ({"algorithm": "grid", "max_trials": 9}, "grid counts its own trials from the values"),
        ({"factor": 3}, "factor belongs to hyperband, not to random"),
        ({"population_size": 9}, "population_size belongs to evolution, not to random"),
        (
            {"algorithm": "evolution", "max_trials": 10},
            "max_trials 10 leaves evolution nothing to do after its first 10 random trials",
        ),
        (
            {"algorithm": "evolution", "tournament_size": 11},
            "tournament_size 11 is above population_size 10",
        ),
        ({"objective": "gzip_bytes"}, "objective gzip_bytes alone is won by the worst model"),
        (
            {"objective": "parameters", "constraints": {"max_gzip_bytes": 9}},
            "objective parameters alone is won by the worst model",
        ),
    ],
)
def test_settings_that_do_not_go_together(tune: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TuneConfig.model_validate(tune)


def test_a_size_may_be_the_objective_within_a_quality() -> None:
    for name in ("max_accuracy_drop", "min_val_accuracy", "max_val_loss", "max_val_mae"):
        constraints = Constraints.model_validate({name: 0.5})
        assert TuneConfig(objective="gzip_bytes", constraints=constraints).max_trials == 10


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"float": [0, 1], "sampling": "log"}, "sampling log needs a low above 0"),
        ({"float": [0, 1], "step": 2}, "wider than the range"),
        ({"float": [1, 8], "step": 1, "sampling": "log"}, "step goes with sampling linear"),
        ({"int": [5, 5]}, "low < high"),
        ({"choice": [1, 1]}, "each value once"),
        ({"choice": [1]}, "at least 2"),
        ({"list": {"int": [1, 5]}, "length": [0, 2]}, "length: expected"),
        ({"list": {"int": [1, 5]}, "length": [3, 2]}, "length: expected"),
        ({"list": {"int": [1, 5], "when": {"b": 1}}, "length": 2}, "when belongs beside list"),
        ({"range": [1, 5]}, r"\{float: \[low, high\]\}, .* or \{list: …, length: \[1, 3\]\}"),
        ({"float": [0, float("nan")]}, "finite"),
    ],
)
def test_spaces_that_make_no_sense_are_refused(space: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TuneConfig.model_validate({"search_space": {"a": space}})
