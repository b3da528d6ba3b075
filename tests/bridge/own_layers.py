"""Layers as a user may write them."""

from __future__ import annotations

from typing import Any

from pipeline.runtime import start_tensorflow

start_tensorflow(0)

import keras  # noqa: E402


class Block(keras.layers.Layer):
    """Dense, BatchNormalization, Dropout, Dense; with a penalty and a loss of its own."""

    def __init__(self, units: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.units = units
        self.first = keras.layers.Dense(units, kernel_regularizer="l2", name="first")
        self.norm = keras.layers.BatchNormalization(name="norm")
        self.dropout = keras.layers.Dropout(0.3)
        self.second = keras.layers.Dense(units, name="second")

    def build(self, input_shape: Any) -> None:
        self.first.build(input_shape)
        hidden = (*input_shape[:-1], self.units)
        self.norm.build(hidden)
        self.second.build(hidden)

    def call(self, x: Any, training: bool | None = None) -> Any:
        x = keras.ops.relu(self.norm(self.first(x), training=training))
        x = self.second(self.dropout(x, training=training))
        self.add_loss(keras.ops.mean(x**2))
        return x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


class Branches(keras.layers.Layer):
    """Two outputs in a dictionary, from two layers of one name."""

    def build(self, input_shape: Any) -> None:
        self.one = keras.layers.Dense(2, name="twin")
        self.other = keras.layers.Dense(3, name="twin")
        self.one.build(input_shape)
        self.other.build(input_shape)

    def call(self, x: Any) -> Any:
        return {"one": self.one(x), "other": self.other(x)}


class Subclassed(keras.Model):
    """A model without a graph, to be used as a layer."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.first, self.second = keras.layers.Dense(4), keras.layers.Dense(4)

    def call(self, x: Any) -> Any:
        return self.second(keras.ops.tanh(self.first(x)))
