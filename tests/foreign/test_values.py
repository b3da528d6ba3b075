"""Plain values of a config, and the arguments of calls."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.foreign.values import Refusal, call_argument, plain_value


@pytest.mark.parametrize("value", [None, True, 3, -1.5, "same", [1, [2, "x"]], {"a": [None]}])
def test_plain_values_come_through(value: Any) -> None:
    assert plain_value(value, "w") == call_argument(value, "w") == value


def test_arrays_are_numpys() -> None:
    """A tensor of TensorFlow would belong to the graph in which the model is first built."""
    config = {"value": [1.0], "dtype": "float32"}
    made = plain_value({"class_name": "__tensor__", "config": config}, "w")
    assert made == {"class_name": "__numpy__", "config": config}


def test_forms_of_calls() -> None:
    ends = {"start": 1, "stop": None, "step": None}
    for form in (
        {"class_name": "__slice__", "config": ends},
        {"class_name": "__ellipsis__", "config": {}},
    ):
        assert call_argument(form, "w") == form


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1 << 64, "w is 18446744073709551616, a number beyond 64 bits"),
        ("x" * 10_001, "w is a text of 10,001 characters"),
        ([0] * 100_001, "w has 100,001 entries, expected at most 100,000"),
        ({str(n): 0 for n in range(100_001)}, "w has 100,001 entries"),
        ({"class_name": "Dense"}, r"w holds an object \(Dense\)"),
        ({"class_name": "__numpy__", "config": {"value": [1], "dtype": "object"}}, "of no number"),
    ],
)
def test_what_is_no_plain_value(value: Any, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        plain_value(value, "w")
