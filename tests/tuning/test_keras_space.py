"""Parameters go to keras-tuner and come back unchanged."""

from __future__ import annotations

from typing import Any

from pipeline.tuning.keras_space import decode_all, encode_all, to_keras_tuner
from pipeline.tuning.parameters import parameters_of
from tests.tuning.test_parameters import ARCHITECTURES, spaces

SPACE = {
    "a": {"choice": [True, False]},
    "b": {"choice": ["relu", 3, 2.5, [8, 8], None]},
    "c": {"int": [4, 9], "step": 2},
    "d": {"float": [0.1, 0.5], "step": 0.1},
    "e": {"int": [1, 64], "sampling": "log"},
    "f": {"float": [1e-4, 1e-2], "sampling": "log"},
}


def test_values_come_back_with_their_types_and_within_bounds() -> None:
    parameters = parameters_of(spaces(SPACE))
    hyperparameters = to_keras_tuner(parameters)
    seen: dict[str, set[str]] = {path: set() for path in SPACE}
    numbers: dict[str, list[float]] = {"e": [], "f": []}
    for number in range(200):
        drawn = {hp.name: hp.random_sample(number) for hp in hyperparameters.space}
        values = decode_all(parameters, drawn)
        assert decode_all(parameters, encode_all(parameters, values)) == values
        for path, value in values.items():
            seen[path].add(repr(value))
            if path in numbers:
                numbers[path].append(value)
    assert seen["a"] == {"True", "False"}
    assert seen["b"] == {"'relu'", "3", "2.5", "[8, 8]", "None"}
    assert seen["c"] == {"4", "6", "8"}
    assert seen["d"] == {"0.1", "0.2", "0.3", "0.4", "0.5"}
    assert 1 <= min(numbers["e"]) <= max(numbers["e"]) <= 64
    assert 1e-4 <= min(numbers["f"]) <= max(numbers["f"]) <= 1e-2


def test_conditions_are_keras_tuner_s_too() -> None:
    parameters = parameters_of(spaces(ARCHITECTURES))
    hyperparameters = to_keras_tuner(parameters)
    for kind, active in (
        ("mlp", {"a.kind", "a.units.length", "a.units.0", "a.units.1", "b"}),
        ("cnn", {"a.kind", "a.filters", "b"}),
        ("none", {"a.kind", "b"}),
    ):
        drawn: dict[str, Any] = {"a.kind": kind, "a.units.length": 2}
        if kind != "mlp":
            del drawn["a.units.length"]
        hyperparameters.values = encode_all(parameters, drawn)
        found = {hp.name for hp in hyperparameters.space if hyperparameters.is_active(hp)}
        assert found == active


def test_keras_tuner_still_leaves_the_range_of_a_logarithmic_int() -> None:
    """Fails the day that is mended: the clamp in decode_all may then go."""
    parameters = parameters_of(spaces({"e": {"int": [1, 64], "sampling": "log"}}))
    (hyperparameter,) = to_keras_tuner(parameters).space
    assert hyperparameter.prob_to_value(1.0) == 65
    assert decode_all(parameters, {"e": 65}) == {"e": 64}


def test_keras_tuner_still_turns_booleans_into_integers() -> None:
    """Fails the day that is mended: choices may then go as their values."""
    import keras_tuner

    choice = keras_tuner.HyperParameters()
    choice.Choice("a", [True, False])
    assert [type(value) for value in choice.space[0].values] == [int, int]
