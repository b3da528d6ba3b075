"""Choices and budgets of mixed precision."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.config.mixed_precision import MixedPrecision
from pipeline.config.quantize import QuantizeConfig
from pipeline.errors import ConfigError


def test_choices_are_ordered_and_name_the_scheme_of_the_file() -> None:
    given = MixedPrecision(choices=("int2", "float32", "int8"), max_gzip_bytes=9)
    assert given.ordered_choices == ("float32", "int8", "int2")
    assert (given.scheme, given.budget) == ("int2", ("max_gzip_bytes", 9))
    static = MixedPrecision(choices=("int4", "int8"), activations="int8", max_accuracy_drop=0.1)
    assert (static.scheme, static.budget) == ("int8x4", ("max_accuracy_drop", 0.1))
    assert static.sample_count == 512


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "expected one budget of max_gzip_bytes.*; received none"),
        ({"max_gzip_bytes": 1, "max_accuracy_drop": 0.1}, "max_gzip_bytes and max_accuracy_drop"),
        ({"max_gzip_bytes": 1, "choices": ("int8", "int8")}, "each one at most once"),
        ({"max_gzip_bytes": 1, "choices": ("float32", "int8")}, "expected int4 or int2 among"),
        (
            {"max_gzip_bytes": 1, "choices": ("int8", "int2"), "activations": "int8"},
            "int2 with activations in int8; expected of float32, int8, int4",
        ),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MixedPrecision(**given)


def test_the_section_belongs_to_scheme_mixed() -> None:
    budget = {"max_gzip_bytes": 9}
    made = QuantizeConfig(schemes=("int8", "mixed"), mixed_precision=budget, block_size=None)
    assert made.file_schemes == ("int8", "int2")
    for values in ({"mixed_precision": budget}, {"schemes": ("mixed",)}):
        with pytest.raises(ValueError, match="mixed in schemes belong together"):
            QuantizeConfig(**values)


def test_the_bound_is_one_that_the_task_has() -> None:
    values = {
        "data": {"task": "regression", "source": "npz", "path": "a.npz"},
        "model": {"architecture": "mlp"},
        "quantize": {"schemes": ["mixed"], "mixed_precision": {"max_accuracy_drop": 0.1}},
    }
    with pytest.raises(ConfigError, match=r"quantize.mixed_precision.max_accuracy_drop: data.task"):
        validate(values)
