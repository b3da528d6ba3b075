"""A conversion is tried again while it leaves a SPLIT in float32, and only then."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.tflite import float_splits
from pipeline.tflite.float_operators import FloatOperator
from pipeline.tflite.float_splits import TRIALS, without_float_splits


@pytest.mark.parametrize(
    ("left", "trials"),
    [
        ([()], 1),
        ([("SPLIT",), ("ERF", "SPLIT"), ()], 3),
        ([("ERF",)], 1),
        ([("SPLIT",)] * (TRIALS + 1), TRIALS),
    ],
)
def test_a_split_in_float_is_tried_again(
    left: list[tuple[str, ...]], trials: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(model: Any) -> tuple[FloatOperator, ...]:
        return tuple(FloatOperator(name, 1, ()) for name in left[model[0]])

    monkeypatch.setattr(float_splits, "decode_model", lambda content: content)
    monkeypatch.setattr(float_splits, "find_float_operators", find)
    made = (bytes([number]) for number in range(len(left)))
    assert without_float_splits(lambda: next(made)) == bytes([trials - 1])
