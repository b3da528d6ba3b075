"""Keras 3 optimizers from the configuration, reading their learning rate from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from pipeline.config.optimizer import OptimizerConfig


def build_optimizer(config: OptimizerConfig, rates: np.ndarray) -> keras.optimizers.Optimizer:
    """Builds the optimizer with its own arguments and its gradient clipping.

    Args:
        config: name, arguments and clipping; its learning_rate is in the table already.
        rates: float32 (steps,), the learning rate of each step, from `learning_rates`.

    Returns:
        A Keras 3 optimizer, not yet built for any variables.
    """
    import keras

    kind = getattr(keras.optimizers, config.keras_class_name)
    optimizer: keras.optimizers.Optimizer = kind(
        learning_rate=rate_table(rates), **config.keras_arguments()
    )
    return optimizer


def rate_table(rates: np.ndarray) -> keras.optimizers.schedules.LearningRateSchedule:
    """Makes a Keras schedule that looks the rate of a step up in `rates`, inside the graph.

    Args:
        rates: float32 (steps,); steps beyond the end keep the last rate.
    """
    import keras
    import tensorflow as tf

    class RateTable(keras.optimizers.schedules.LearningRateSchedule):
        """The learning rate of step s is table[s]."""

        def __init__(self, table: np.ndarray) -> None:
            super().__init__()
            self.table = np.asarray(table, np.float32)

        def __call__(self, step: Any) -> tf.Tensor:
            last = len(self.table) - 1
            return tf.gather(tf.constant(self.table), tf.minimum(tf.cast(step, tf.int64), last))

        def get_config(self) -> dict[str, Any]:
            return {"table": self.table.tolist()}

    return RateTable(rates)
