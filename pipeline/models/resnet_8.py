"""ResNet-8: the image-classification network of MLPerf Tiny, three residual stacks.

Banbury et al., "MLPerf Tiny Benchmark", NeurIPS 2021; the block is that of He et al., "Deep
Residual Learning for Image Recognition", CVPR 2016. With batch normalization on it is the
reference (78,666 parameters on CIFAR-10) without the 240 biases that the normalization cancels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.models import layers

if TYPE_CHECKING:
    import keras

    from pipeline.config.model import Resnet8Model


def resnet_8(x: keras.KerasTensor, config: Resnet8Model, outputs: int) -> keras.KerasTensor:
    """Connects ResNet-8; dropout acts before the pooling, spatial dropout after every stack.

    Args:
        x: (batch, height ≥ 4, width ≥ 4, channels); stacks 2 and 3 halve height and width.
        config: filters of the first stack; the others have two and four times as many.
        outputs: number of outputs.

    Returns:
        Outputs (batch, outputs), linear.
    """
    import keras

    x = layers.convolution(x, config, config.filters, 3, "stack_0_conv")
    for stack, (factor, strides) in enumerate(((1, 1), (2, 2), (4, 2)), start=1):
        x = _stack(x, config, config.filters * factor, strides, f"stack_{stack}")
        x = layers.spatial_dropout(x, config, f"stack_{stack}_spatial_dropout")
    x = layers.dropout(x, config, "stacks_dropout")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return layers.logits(x, config, outputs)


def _stack(
    x: keras.KerasTensor, config: Resnet8Model, filters: int, strides: int, name: str
) -> keras.KerasTensor:
    import keras

    y = layers.convolution(x, config, filters, 3, f"{name}_conv_1", strides=strides)
    y = layers.convolution(y, config, filters, 3, f"{name}_conv_2", activation=None)
    if strides > 1:  # the shortcut must halve with its branch; the reference normalizes neither
        x = layers.plain_convolution(x, config, filters, 1, f"{name}_shortcut", strides=strides)
    x = keras.layers.Add(name=f"{name}_add")([x, y])
    return keras.layers.Activation("relu", name=f"{name}_activation")(x)
