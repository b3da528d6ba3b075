"""A small convolutional network: 3×3 convolutions, each followed by pooling, then one Dense."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.models import layers

if TYPE_CHECKING:
    import keras

    from pipeline.config.model import SmallCnnModel


def small_cnn(x: keras.KerasTensor, config: SmallCnnModel, num_classes: int) -> keras.KerasTensor:
    """Connects the network; dropout acts after every pooling and after the hidden Dense.

    Args:
        x: (batch, height, width, channels); every pooling halves height and width.
        config: filters (one number per convolution) and units (width of the hidden Dense).
        num_classes: number of logits.

    Returns:
        Logits (batch, num_classes).
    """
    import keras

    for number, filters in enumerate(config.filters, start=1):
        x = layers.convolution(x, config, filters, 3, f"conv_{number}")
        x = keras.layers.MaxPooling2D(2, name=f"pool_{number}")(x)
        x = layers.dropout(x, config, f"pool_{number}_dropout")
    x = layers.dense(layers.flatten(x), config, config.units, "dense_1")
    x = layers.dropout(x, config, "dense_1_dropout")
    return layers.logits(x, config, num_classes)
