"""From an optimizer configuration to a tf_keras optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.bridge.optimizers_table import TF_KERAS_OPTIMIZERS, check_optimizer_crosses
from pipeline.bridge.start import import_tf_keras

if TYPE_CHECKING:
    import tf_keras

    from pipeline.config.optimizer import OptimizerConfig


def build_tf_keras_optimizer(config: OptimizerConfig, stage: str) -> tf_keras.optimizers.Optimizer:
    """Builds the optimizer; its learning rate is a variable that the training step sets.

    Args:
        config: name, learning rate, clipping and arguments.
        stage: path of its section, for the error.

    Returns:
        A tf_keras optimizer without variables of a model yet.

    Raises:
        ConfigError: tf_keras lacks the optimizer or an argument.
    """
    check_optimizer_crosses(config, stage)
    class_name = TF_KERAS_OPTIMIZERS[config.name][0]
    arguments: dict[str, Any] = config.keras_arguments()
    # XLA compiles anew for the smaller last batch of an epoch and costs more than it gains here.
    return getattr(import_tf_keras().optimizers, class_name)(
        learning_rate=config.learning_rate, jit_compile=False, **arguments
    )
