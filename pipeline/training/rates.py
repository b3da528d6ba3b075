"""The learning rates of a training as a variable that its steps read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from pipeline.training.plateau import plateau_scale
from pipeline.training.schedules import learning_rates

if TYPE_CHECKING:
    from pipeline.config.train import FineTuneConfig


class RateTable:
    """One rate per optimizer update, from the schedule; a plateau scales it between epochs.

    Attributes:
        variable: tf.Variable float32 (updates of all epochs,). The training step looks its rate
            up by its own number, in both Kerases: no optimizer's count decides it.
    """

    def __init__(self, config: FineTuneConfig, updates_per_epoch: int) -> None:
        """Computes the table before any reduction.

        Raises:
            ConfigError: the schedule does not fit into the training.
        """
        import tensorflow as tf

        self._config, self._updates, self._scale = config, updates_per_epoch, 1.0
        self.variable = tf.Variable(self._compute(), trainable=False, name="learning_rates")

    def follow(self, history: Iterable[Mapping[str, float]]) -> None:
        """Sets the rates for the epochs after a history, which a plateau in it has scaled."""
        base_rate = self._config.optimizer.learning_rate
        scale = plateau_scale(self._config.schedule, base_rate, history)
        if scale != self._scale:
            self._scale = scale
            self.variable.assign(self._compute())

    def _compute(self) -> np.ndarray:
        config = self._config
        base_rate = config.optimizer.learning_rate * self._scale
        return learning_rates(config.schedule, base_rate, self._updates, config.epochs)
