"""Autoencoders: the input through a narrow, linear code and back to the input.

Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science 2006.
Decoding convolutions follow a nearest-neighbour enlargement instead of being transposed, which
leaves no checkerboard (Odena et al., "Deconvolution and checkerboard artifacts", Distill 2016).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipeline.models import layers

if TYPE_CHECKING:
    import keras

    from pipeline.config.model import AutoencoderModel

Sizes = list[tuple[int, ...]]


def autoencoder(x: keras.KerasTensor, config: AutoencoderModel, outputs: int) -> keras.KerasTensor:
    """Connects encoder, code and decoder; dropout acts after every hidden Dense.

    Args:
        x: (batch, ...); with filters (batch, height, width, channels).
        config: filters (of convolutions that halve the image, rounded up), units (of dense layers
            after them), bottleneck (numbers in the code) and activation of the hidden layers.
        outputs: values of a sample.

    Returns:
        Values like the input's, linear, of the input's shape.
    """
    sample_shape = tuple(x.shape[1:])
    x, sizes = _encode_image(x, config)
    inner = tuple(x.shape[1:])
    x = _dense_layers(layers.flatten(x), config, "encoder")
    x = layers.plain_dense(x, config, config.bottleneck, "code")
    x = _dense_layers(x, config, "decoder")
    if not config.filters:
        return layers.reshape(layers.plain_dense(x, config, outputs, "output"), sample_shape)
    x = layers.dense(x, config, math.prod(inner), "decoder_expand", config.activation)
    return _decode_image(layers.reshape(x, inner), config, sizes, sample_shape[-1])


def _dense_layers(x: keras.KerasTensor, config: AutoencoderModel, part: str) -> keras.KerasTensor:
    """Adds the dense layers of one part, in the mirrored order for the decoder."""
    widths = config.units if part == "encoder" else config.units[::-1]
    for number, units in enumerate(widths, start=1):
        name = f"{part}_dense_{number}"
        x = layers.dense(x, config, units, name, config.activation)
        x = layers.dropout(x, config, f"{name}_dropout")
    return x


def _encode_image(
    x: keras.KerasTensor, config: AutoencoderModel
) -> tuple[keras.KerasTensor, Sizes]:
    """Halves the image per convolution; returns it and (height, width) before each halving."""
    sizes: Sizes = []
    for number, filters in enumerate(config.filters, start=1):
        sizes.append(tuple(x.shape[1:3]))
        name = f"encoder_conv_{number}"
        x = layers.convolution(x, config, filters, 3, name, strides=2, activation=config.activation)
        x = layers.spatial_dropout(x, config, f"{name}_spatial_dropout")
    return x, sizes


def _decode_image(
    x: keras.KerasTensor, config: AutoencoderModel, sizes: Sizes, channels: int
) -> keras.KerasTensor:
    """Doubles the image and cuts it to each recorded size; the last convolution is linear."""
    for number, size in enumerate(reversed(sizes), start=1):
        x = _enlarge(x, size, number)
        if number < len(sizes):
            name, filters = f"decoder_conv_{number}", config.filters[-number - 1]
            x = layers.convolution(x, config, filters, 3, name, activation=config.activation)
            x = layers.spatial_dropout(x, config, f"{name}_spatial_dropout")
    return layers.plain_convolution(x, config, channels, 3, "output")


def _enlarge(x: keras.KerasTensor, size: tuple[int, ...], number: int) -> keras.KerasTensor:
    """Doubles height and width, then cuts the row or column that halving had rounded up."""
    import keras

    x = keras.layers.UpSampling2D(2, name=f"decoder_enlarge_{number}")(x)
    if tuple(x.shape[1:3]) == size:
        return x
    surplus = tuple((0, have - want) for have, want in zip(x.shape[1:3], size, strict=True))
    return keras.layers.Cropping2D(surplus, name=f"decoder_crop_{number}")(x)
