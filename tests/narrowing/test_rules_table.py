"""The table names what there is in Keras."""

from __future__ import annotations

import keras
from keras.src import ops

from pipeline.narrowing.rules_table import LAYERS, OPERATIONS


def test_every_layer_and_operation_of_the_table_exists() -> None:
    assert [name for name in LAYERS if not hasattr(keras.layers, name)] == []
    modules = (ops.numpy, ops.nn)
    assert [n for n in OPERATIONS if not any(hasattr(module, n) for module in modules)] == []


def test_an_operation_with_the_name_of_a_layer_is_no_layer() -> None:
    """Average the layer merges tensors, Average the operation reduces axes."""
    assert "Average" in LAYERS and "Average" not in OPERATIONS
