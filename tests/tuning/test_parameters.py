"""Spaces taken apart: order, conditions, lists, counting and enumerating."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.config.tune import TuneConfig
from pipeline.errors import ConfigError
from pipeline.tuning.parameters import (
    assemble,
    count_points,
    grid_of,
    parameters_of,
    points,
    take_apart,
)

ARCHITECTURES = {
    "a.filters": {"choice": [8, 16], "when": {"a.kind": "cnn"}},
    "a.kind": {"choice": ["mlp", "cnn", "none"]},
    "a.units": {"list": {"choice": [1, 2, 3]}, "length": [1, 2], "when": {"a.kind": "mlp"}},
    "b": {"int": [1, 3], "step": 2},
}


def spaces(values: dict[str, Any]) -> Any:
    """Validates a search_space as the file's."""
    return TuneConfig.model_validate_json(json.dumps({"search_space": values})).search_space


def test_parents_come_before_their_children() -> None:
    parameters = parameters_of(spaces(ARCHITECTURES))
    assert [parameter.name for parameter in parameters] == [
        "a.kind", "a.filters", "a.units.length", "a.units.0", "a.units.1", "b",
    ]  # fmt: skip
    by_name = {parameter.name: parameter for parameter in parameters}
    assert by_name["a.filters"].is_active({"a.kind": "cnn"})
    assert not by_name["a.filters"].is_active({"a.kind": "mlp"})
    assert not by_name["a.filters"].is_active({})
    assert by_name["a.units.0"].is_active({"a.kind": "mlp", "a.units.length": 1})
    assert not by_name["a.units.1"].is_active({"a.kind": "mlp", "a.units.length": 1})
    assert by_name["a.units.1"].is_active({"a.kind": "mlp", "a.units.length": 2})


def test_points_are_counted_and_enumerated_once() -> None:
    """By hand: mlp has 3 + 9 lists, cnn 2 filters, none 1; each with 2 values of b."""
    parameters = parameters_of(spaces(ARCHITECTURES))
    found = list(points(parameters))
    assert count_points(parameters) == len(found) == (3 + 9 + 2 + 1) * 2
    assert len({repr(sorted(point.items())) for point in found}) == len(found)
    assert found[0] == {"a.kind": "mlp", "a.units.length": 1, "a.units.0": 1, "b": 1}
    assert found[-1] == {"a.kind": "none", "b": 3}


def test_values_come_together_and_apart() -> None:
    space = spaces(ARCHITECTURES)
    for point in points(parameters_of(space)):
        assert take_apart(space, assemble(space, point)) == point
    drawn = {"a.kind": "mlp", "a.units.length": 2, "a.units.0": 3, "a.units.1": 1}
    assert assemble(space, drawn) == {"a.kind": "mlp", "a.units": [3, 1]}


def test_a_list_of_one_length_has_no_length_to_draw() -> None:
    space = spaces({"a": {"list": {"float": [0, 1], "step": 0.5}, "length": 2}})
    assert [p.name for p in parameters_of(space)] == ["a.0", "a.1"]
    assert count_points(parameters_of(space)) == 9
    assert take_apart(space, {"a": [0.5, 1.0]}) == {"a.0": 0.5, "a.1": 1.0}


@pytest.mark.parametrize(
    ("values", "grid"),
    [
        ({"float": [0.1, 0.5], "step": 0.1}, [0.1, 0.2, 0.3, 0.4, 0.5]),
        ({"float": [0.0, 1.0]}, None),
        ({"float": [0.1, 1.0], "sampling": "log"}, None),
        ({"int": [4, 9], "step": 2}, [4, 6, 8]),
        ({"int": [1, 4], "sampling": "log"}, [1, 2, 3, 4]),
        ({"choice": [[8], None, True]}, [[8], None, True]),
    ],
)
def test_the_grid_of_one_parameter(values: dict[str, Any], grid: list[Any] | None) -> None:
    assert grid_of(spaces({"a": values})["a"]) == grid


def test_one_continuous_float_makes_a_space_endless() -> None:
    assert (
        count_points(parameters_of(spaces({"a": {"float": [0, 1]}, "b": {"int": [1, 2]}}))) is None
    )


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"a": {"int": [1, 2], "when": {"c": 1}}}, "a.when: 'c' is not in the search space"),
        (
            {"a": {"int": [1, 2], "when": {"b": 9}}, "b": {"int": [1, 3]}},
            r"a.when: 9 is no value of 'b', expected of \[1, 2, 3\]",
        ),
        (
            {"a": {"int": [1, 2], "when": {"b": True}}, "b": {"choice": [1, 2]}},
            "True is no value of 'b'",
        ),
        (
            {"a": {"int": [1, 2], "when": {"b": 0.5}}, "b": {"float": [0, 1]}},
            "'b' has no single values; only choice and int do",
        ),
        (
            {
                "a": {"int": [1, 2], "when": {"b": 1}},
                "b": {"int": [1, 2], "when": {"a": 1}},
            },
            "its `when` goes in a circle",
        ),
    ],
)
def test_conditions_that_cannot_hold_are_refused(space: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parameters_of(spaces(space))
