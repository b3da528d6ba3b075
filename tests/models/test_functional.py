from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.models.functional import as_functional, has_graph
from pipeline.runtime import start_tensorflow


@pytest.fixture(scope="module")
def coded() -> Any:
    """A subclassed model: its calls are code."""
    start_tensorflow(0)
    import keras

    class Coded(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="coded")
            self.last = keras.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.last(x)

    return Coded()


def test_a_subclassed_model_becomes_a_graph_of_one_call(coded: Any) -> None:
    import keras

    with pytest.raises(ConfigError, match="'coded' was built with None, expected the shape of one"):
        as_functional(coded)
    x = np.ones((3, 4), np.float32)
    expected = coded(x)
    assert not has_graph(coded)
    for made in (as_functional(coded), as_functional(coded, (4,))):
        assert has_graph(made)
        assert made.inputs[0].shape == (None, 4)
        np.testing.assert_array_equal(made(x), expected)
    plain = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    assert as_functional(plain) is plain
