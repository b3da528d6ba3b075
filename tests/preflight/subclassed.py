"""A model whose calls are code."""

from __future__ import annotations

from typing import Any

import keras


class Own(keras.Model):  # type: ignore[misc]
    """Two dense layers."""

    def __init__(self) -> None:
        super().__init__(name="own")
        self.first = keras.layers.Dense(4, name="first")
        self.second = keras.layers.Dense(2, name="second")

    def call(self, x: Any) -> Any:
        return self.second(self.first(x))
