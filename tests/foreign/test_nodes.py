"""Parts of a config: whose they are, and what they are."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.foreign.nodes import class_name_of, describe, full_name, is_keras_own, is_operation


@pytest.mark.parametrize(
    ("node", "own"),
    [
        ({"class_name": "Dense"}, True),
        ({"class_name": "Dense", "module": "keras.layers", "registered_name": None}, True),
        ({"class_name": "Dense", "module": "tf_keras.src.x", "registered_name": "Dense"}, True),
        ({"class_name": "function", "module": "builtins", "config": "relu",
          "registered_name": "relu"}, True),
        ({"class_name": "Dense", "module": "keras_evil.layers"}, False),
        ({"class_name": "Dense", "module": "evil"}, False),
        ({"class_name": "Dense", "module": "keras.layers", "registered_name": "a>Dense"}, False),
    ],
)  # fmt: skip
def test_whose_it_is(node: dict[str, Any], own: bool) -> None:
    assert is_keras_own(node) is own


def test_operations_by_module_or_by_what_they_lack() -> None:
    assert is_operation({"class_name": "Add", "module": "keras.src.ops.numpy", "config": {}})
    assert not is_operation({"class_name": "Add", "module": "keras.layers", "config": {}})
    assert is_operation({"class_name": "Add", "config": {"name": "add"}})
    assert not is_operation({"class_name": "Add", "config": {"name": "add", "dtype": "float32"}})
    assert not is_operation({"class_name": ["Add"], "config": {}})


def test_how_they_are_named() -> None:
    node = {"class_name": "Odd", "module": "mine", "config": {"name": "o"}}
    assert describe(node, {"name": "o"}, "Odd", "layer 3") == "layer 'o' (mine.Odd)"
    assert describe({"class_name": "Dense"}, {}, "Dense", "layer 3") == "layer 3 (Dense)"
    assert full_name({"class_name": "function", "config": "f", "module": "os"}) == "os.f"
    assert class_name_of({"class_name": ["x"]}) == ""
