"""Spaces are checked by being applied, and go to keras-tuner and back unchanged."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.tune import TuneConfig
from pipeline.errors import ConfigError
from pipeline.tuning.space import (
    check_space,
    count_points,
    from_keras_tuner,
    recorded_values,
    to_keras_tuner,
)
from tests.tuning.conftest import make_config


def spaces(values: dict[str, Any]) -> Any:
    """Validates a search_space as the file's."""
    import json

    return TuneConfig.model_validate_json(json.dumps({"search_space": values})).search_space


def test_good_spaces_pass() -> None:
    space = {
        "train.optimizer.learning_rate": {"float": [1e-4, 1e-2], "sampling": "log"},
        "train.optimizer.beta_1": {"float": [0.5, 0.99]},
        "model.dropout": {"float": [0.0, 0.5]},
        "model.normalization": {"choice": ["batch", "none"]},
        "train.batch_size": {"choice": [32, 64]},
        "train.early_stopping.patience": {"int": [1, 5]},
    }
    from pipeline.config.load import apply_overrides

    config = apply_overrides(make_config(), {"train.early_stopping": {"patience": 3}})
    check_space(config, spaces(space))


@pytest.mark.parametrize(
    ("path", "values", "message"),
    [
        ("prune.epochs", {"int": [1, 5]}, "expected one that begins with model. or train."),
        ("run.seed", {"int": [1, 5]}, "expected one that begins with model. or train."),
        ("model", {"choice": [1, 2]}, "expected one that begins with model. or train."),
        ("train.epochs", {"int": [1, 5]}, "every trial trains for tune.epochs"),
        ("model.architecture", {"choice": ["mlp", "lenet_5"]}, "search within one"),
        ("train.optimiser.learning_rate", {"float": [0.1, 0.2]}, "did you mean 'optimizer'"),
        ("model.droput", {"float": [0.1, 0.2]}, "did you mean 'dropout'"),
        ("model.dropout", {"float": [0.0, 1.0]}, "1.0 is not possible there: model.dropout"),
        ("train.batch_size", {"float": [16, 32]}, "16.0 is not possible there"),
        ("train.batch_size", {"int": [0, 32]}, "0 is not possible there"),
        ("train.batch_size", {"choice": [32, "all"]}, "'all' is not possible there"),
        ("train.early_stopping.patience", {"int": [1, 5]}, "early_stopping"),
    ],
)
def test_impossible_spaces_are_refused_by_path(
    path: str, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_space(make_config(), spaces({path: values}))
    assert str(caught.value).startswith(f"tune.search_space.{path}: ")
    assert message in str(caught.value)


SPACE = {
    "a": {"choice": [True, False]},
    "b": {"choice": ["relu", 3, 2.5]},
    "c": {"int": [4, 9], "step": 2},
    "d": {"float": [0.1, 0.5], "step": 0.1},
    "e": {"int": [1, 64], "sampling": "log"},
    "f": {"float": [1e-4, 1e-2], "sampling": "log"},
}


def test_values_come_back_with_their_types_and_within_bounds() -> None:
    space = spaces(SPACE)
    hyperparameters = to_keras_tuner(space)
    seen: dict[str, set[Any]] = {path: set() for path in space}
    for number in range(200):
        drawn = {hp.name: hp.random_sample(number) for hp in hyperparameters.space}
        values = from_keras_tuner(space, drawn)
        assert from_keras_tuner(space, recorded_values(space, values)) == values
        for path, value in values.items():
            seen[path].add(value)
    assert seen["a"] == {True, False}
    assert all(isinstance(value, bool) for value in seen["a"])
    assert seen["b"] == {"relu", 3, 2.5}
    assert seen["c"] == {4, 6, 8}
    assert seen["d"] == {0.1, 0.2, 0.3, 0.4, 0.5}
    assert min(seen["e"]) >= 1
    assert max(seen["e"]) <= 64
    assert min(seen["f"]) >= 1e-4
    assert max(seen["f"]) <= 1e-2


def test_keras_tuner_still_leaves_the_range_of_a_logarithmic_int() -> None:
    """Fails the day that is mended: the clamp in from_keras_tuner may then go."""
    space = spaces({"e": {"int": [1, 64], "sampling": "log"}})
    (hyperparameter,) = to_keras_tuner(space).space
    assert hyperparameter.prob_to_value(1.0) == 65
    assert from_keras_tuner(space, {"e": 65}) == {"e": 64}


def test_keras_tuner_still_turns_booleans_into_integers() -> None:
    """Fails the day that is mended: choices may then go as their values."""
    import keras_tuner

    choice = keras_tuner.HyperParameters()
    choice.Choice("a", [True, False])
    assert [type(value) for value in choice.space[0].values] == [int, int]


@pytest.mark.parametrize(
    ("paths", "expected"), [("abcd", 2 * 3 * 3 * 5), ("e", 64), ("f", None), ("af", None)]
)
def test_points_are_counted(paths: str, expected: int | None) -> None:
    assert count_points(spaces({path: SPACE[path] for path in paths})) == expected
