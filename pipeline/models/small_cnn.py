"""A small convolutional network: 3×3 convolutions, each followed by pooling, then one Dense."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.models import layers

if TYPE_CHECKING:
    import keras

    from pipeline.config.model import SmallCnnModel


def small_cnn(x: keras.KerasTensor, config: SmallCnnModel, outputs: int) -> keras.KerasTensor:
    """Connects the network.

    Both dropouts act after every pooling, the plain one after the hidden Dense as well.

    Args:
        x: (batch, height, width, channels); every pooling halves height and width.
        config: filters (one number per convolution) and units (width of the hidden Dense).
        outputs: number of outputs.

    Returns:
        Outputs (batch, outputs), linear.
    """
    import keras

    for number, filters in enumerate(config.filters, start=1):
        x = layers.convolution(x, config, filters, 3, f"conv_{number}")
        x = keras.layers.MaxPooling2D(2, name=f"pool_{number}")(x)
        x = layers.spatial_dropout(x, config, f"pool_{number}_spatial_dropout")
        x = layers.dropout(x, config, f"pool_{number}_dropout")
    x = layers.dense(layers.flatten(x), config, config.units, "dense_1")
    x = layers.dropout(x, config, "dense_1_dropout")
    return layers.logits(x, config, outputs)
