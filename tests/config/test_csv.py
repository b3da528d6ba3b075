"""data.csv: columns that fit together."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.config.csv import CsvConfig


def test_one_target_or_several() -> None:
    assert CsvConfig().targets == ()
    assert CsvConfig(target="a").targets == ("a",)
    assert CsvConfig(target=("a", "b")).targets == ("a", "b")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"columns": ("a", "b", "a")}, "columns names 'a' more than once"),
        ({"target": ("a", "a")}, "target names 'a' more than once"),
        ({"target": "a", "ignore": ("a",)}, "ignore names 'a', which is the target"),
        ({"target": "a", "types": {"a": "number"}}, "types names 'a', which is the target"),
        ({"target": "c", "columns": ("a", "b")}, "target 'c' is not among columns"),
        ({"log": ("c",), "columns": ("a", "b")}, "log names 'c', which is not among columns"),
        ({"log": ("a",), "types": {"a": "category"}}, "log names 'a', whose type is category"),
        ({"delimiter": "ab"}, "delimiter"),
        ({"clip": 0.0}, "clip"),
    ],
)
def test_refusals(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CsvConfig(**values)
