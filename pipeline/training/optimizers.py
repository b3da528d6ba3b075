"""Keras 3 optimizers from the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

    from pipeline.config.optimizer import OptimizerConfig


def build_optimizer(config: OptimizerConfig) -> keras.optimizers.Optimizer:
    """Builds the optimizer with its own arguments and its gradient clipping.

    Args:
        config: name, learning rate, arguments and clipping.

    Returns:
        A Keras 3 optimizer, not yet built for any variables. Its learning rate is a variable
        that the training step sets; average and accumulation are the training loop's affair.
    """
    import keras

    kind = getattr(keras.optimizers, config.keras_class_name)
    optimizer: keras.optimizers.Optimizer = kind(
        learning_rate=config.learning_rate, **config.keras_arguments()
    )
    return optimizer
