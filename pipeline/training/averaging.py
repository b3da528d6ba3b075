"""A moving average of the weights: what is validated and kept in place of the weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pipeline.config.optimizer import OptimizerConfig


class WeightAverage:
    """The exponential moving average of trainable weights, updated after each update of them.

    average = m · average + (1 - m) · weight, and the weight itself after the first update: as
    use_ema of Keras 3 (Polyak and Juditsky, 1992, with a fading memory). Done here and not by
    the optimizers, because the two Kerases begin differently, and because masks that a stage
    imposes on the weights must be imposed before the average is taken. Statistics of
    BatchNormalization and quantizers are no trainable weights; they have averages of their own.

    Attributes:
        variables: all that its next update depends on, to be checkpointed.
    """

    def __init__(self, weights: Sequence[Any], momentum: float) -> None:
        """Makes the averages of `weights` (tf.Variable); momentum m is in [0, 1)."""
        import tensorflow as tf

        self._weights, self._momentum = list(weights), momentum
        self._updates = tf.Variable(0, dtype=tf.int64, trainable=False, name="average_updates")
        self._averages = [tf.Variable(weight, trainable=False) for weight in self._weights]
        self.variables = [self._updates, *self._averages]

    def update(self) -> None:
        """Takes the weights into the averages; inside the graph, after an update."""
        import tensorflow as tf

        m = tf.where(self._updates > 0, self._momentum, 0.0)
        for average, weight in zip(self._averages, self._weights, strict=True):
            factor = tf.cast(m, weight.dtype)
            average.assign(factor * average + (1 - factor) * weight)
        self._updates.assign_add(1)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Puts the averages into the model for as long as the block lasts."""
        held = [np.array(weight.numpy()) for weight in self._weights]
        _assign(self._weights, self._averages)
        try:
            yield
        finally:
            _assign(self._weights, held)


def build_average(config: OptimizerConfig, weights: Sequence[Any]) -> WeightAverage | None:
    """Returns the average that the configuration asks for, or None.

    Args:
        config: use_ema and ema_momentum.
        weights: tf.Variable of each trainable weight.
    """
    return WeightAverage(weights, config.ema_momentum) if config.use_ema else None


@contextmanager
def average_in_place(average: WeightAverage | None) -> Iterator[None]:
    """Puts the averages, if there are any, into the model for as long as the block lasts."""
    if average is None:
        yield
    else:
        with average.in_place():
            yield


def _assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
