"""LeNet-300-100 and LeNet-5, the two networks that the pruning literature is measured on.

LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE 1998; sizes as
in Han et al., "Deep Compression", ICLR 2016 (tables 2 and 3), whose LeNet-5 is Caffe's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.models import layers

if TYPE_CHECKING:
    import keras

    from pipeline.config.model import Lenet5Model, Lenet300100Model


def lenet_300_100(
    x: keras.KerasTensor, config: Lenet300100Model, outputs: int
) -> keras.KerasTensor:
    """Connects LeNet-300-100 (266,610 parameters on MNIST); dropout after both hidden layers.

    Args:
        x: (batch, ...); images are flattened.
        config: the options that all architectures have.
        outputs: number of outputs.

    Returns:
        Outputs (batch, outputs), linear.
    """
    x = layers.flatten(x)
    for number, units in enumerate((300, 100), start=1):
        x = layers.dense(x, config, units, f"dense_{number}")
        x = layers.dropout(x, config, f"dense_{number}_dropout")
    return layers.logits(x, config, outputs)


def lenet_5(x: keras.KerasTensor, config: Lenet5Model, outputs: int) -> keras.KerasTensor:
    """Connects Caffe's LeNet-5 (431,080 parameters on MNIST); dropout after the hidden Dense.

    Spatial dropout acts after every pooling. As in Caffe the convolutions are linear: max pooling
    is their non-linearity.

    Args:
        x: (batch, height ≥ 16, width ≥ 16, channels).
        config: the options that all architectures have.
        outputs: number of outputs.

    Returns:
        Outputs (batch, outputs), linear.
    """
    import keras

    for number, filters in enumerate((20, 50), start=1):
        name = f"conv_{number}"
        x = layers.convolution(x, config, filters, 5, name, padding="valid", activation=None)
        x = keras.layers.MaxPooling2D(2, name=f"pool_{number}")(x)
        x = layers.spatial_dropout(x, config, f"pool_{number}_spatial_dropout")
    x = layers.dense(layers.flatten(x), config, 500, "dense_1")
    x = layers.dropout(x, config, "dense_1_dropout")
    return layers.logits(x, config, outputs)
