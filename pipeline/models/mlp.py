"""Multi-layer perceptron: hidden Dense layers of any number and width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.models import layers

if TYPE_CHECKING:
    import keras

    from pipeline.config.model import MlpModel


def mlp(x: keras.KerasTensor, config: MlpModel, outputs: int) -> keras.KerasTensor:
    """Connects an MLP; dropout acts after every hidden layer.

    Args:
        x: (batch, ...); images are flattened.
        config: units (one width per hidden layer) and activation.
        outputs: number of outputs.

    Returns:
        Outputs (batch, outputs), linear.
    """
    x = layers.flatten(x)
    for number, units in enumerate(config.units, start=1):
        x = layers.dense(x, config, units, f"dense_{number}", config.activation)
        x = layers.dropout(x, config, f"dense_{number}_dropout")
    return layers.logits(x, config, outputs)
