"""Calls of TensorFlow functions are translated, or refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.foreign.keras_2_operations import translate_operation
from pipeline.foreign.values import Refusal


def call(function: str, **keywords: Any) -> Any:
    node = {"class_name": "TFOpLambda", "config": {"name": "f", "function": function}}
    return translate_operation(node, "x", keywords)


@pytest.mark.parametrize(
    ("function", "keywords", "words"),
    [
        ("io.write_file", {}, r"layer 'f' \(tf\.io\.write_file\): this TensorFlow function is not"),
        ("py_function", {}, "is not one of those that are read"),
        ("math.add", {}, "expected the arguments y"),
        ("linalg.matmul", {"b": 1, "transpose_b": True}, "the argument transpose_b = True is not"),
        ("math.cumsum", {"axis": 1, "reverse": True}, "the argument reverse = True is not read"),
        ("nn.relu", {"colour": 3}, "the argument colour = 3 is not read"),
        ("__operators__.getitem", {}, "expected one slice"),
        ("__operators__.getitem", {"slice_spec": [1.5]}, r"is sliced by 1\.5, expected numbers"),
    ],
)
def test_functions_and_arguments_without_a_row(
    function: str, keywords: dict[str, Any], words: str
) -> None:
    with pytest.raises(Refusal, match=words):
        call(function, **keywords)


def test_settings_and_operands_are_told_apart() -> None:
    made, called = call("compat.v1.transpose", perm=[0, 2, 1], name=None)
    assert made["class_name"] == "Transpose" and made["config"] == {"axes": [0, 2, 1]}
    made, called = call("math.multiply", y=2.0)
    assert made["config"] == {} and called == {"args": ["x", 2.0], "kwargs": {}}
    made, _ = call("split", num_or_size_splits=[1, 2, 3], axis=-1)
    assert made["config"] == {"axis": -1, "indices_or_sections": [1, 3]}
