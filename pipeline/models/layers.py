"""The layers that every architecture is made of, with the options of the configuration applied.

Where each option acts, in all architectures:
    initializer          every kernel (dense, convolution, depthwise); biases start at 0.
    l1, l2               a penalty on every kernel; not on biases nor normalizations.
    normalization        between a hidden layer's kernel and its activation. batch: the kernel's
                         bias, which it would cancel, is left out. layer (Ba et al. 2016): over the
                         units of a Dense, over the channels of each pixel of a convolution.
    dropout              named by each architecture.
    spatial_dropout      whole feature maps (Tompson et al., CVPR 2015); named by each architecture.
Layer names are explicit: masks, per-layer settings and the bridge find layers by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

    from pipeline.models.options import HiddenOptions, ImageOptions, KernelOptions

# Keras's own 0.99 needs over a thousand steps to forget its start: DS-CNN on digits was at 92 %
# in training and at 12 % on validation data after 296 steps.
MOMENTUM = 0.9


def regularizer(config: KernelOptions) -> keras.regularizers.Regularizer | None:
    """Returns the kernel penalty l1·Σ|w| + l2·Σw², or None when both factors are 0."""
    import keras

    if config.l1 == 0 and config.l2 == 0:
        return None
    return keras.regularizers.L1L2(l1=config.l1, l2=config.l2)


def dense(
    x: keras.KerasTensor,
    config: HiddenOptions,
    units: int,
    name: str,
    activation: str | None = "relu",
) -> keras.KerasTensor:
    """Adds a hidden Dense layer with its normalization and activation.

    Args:
        x: (batch, features).
        config: the model's options.
        units: number of outputs, ≥ 1.
        name: the layer's name.
        activation: Keras name, None for linear.

    Returns:
        (batch, units).
    """
    import keras

    layer = keras.layers.Dense(
        units,
        kernel_initializer=config.initializer,
        kernel_regularizer=regularizer(config),
        **_bias_and_activation(config, activation),
        name=name,
    )
    return _normalize_and_activate(layer(x), config, name, activation)


def convolution(
    x: keras.KerasTensor,
    config: HiddenOptions,
    filters: int,
    kernel: int,
    name: str,
    *,
    strides: int = 1,
    padding: str = "same",
    activation: str | None = "relu",
) -> keras.KerasTensor:
    """Adds a Conv2D layer with its normalization and activation.

    Args:
        x: (batch, height, width, channels).
        config: the model's options.
        filters: number of output channels, ≥ 1.
        kernel: side of the square kernel.
        name: the layer's name.
        strides: step in both directions.
        padding: "same" or "valid".
        activation: Keras name, None for linear.

    Returns:
        (batch, height', width', filters).
    """
    import keras

    layer = keras.layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding=padding,
        kernel_initializer=config.initializer,
        kernel_regularizer=regularizer(config),
        **_bias_and_activation(config, activation),
        name=name,
    )
    return _normalize_and_activate(layer(x), config, name, activation)


def depthwise(
    x: keras.KerasTensor, config: HiddenOptions, kernel: int, name: str
) -> keras.KerasTensor:
    """Adds a DepthwiseConv2D layer (stride 1, same padding) with normalization and ReLU.

    Args:
        x: (batch, height, width, channels).
        config: the model's options.
        kernel: side of the square kernel.
        name: the layer's name.

    Returns:
        (batch, height, width, channels).
    """
    import keras

    layer = keras.layers.DepthwiseConv2D(
        kernel,
        padding="same",
        depthwise_initializer=config.initializer,
        depthwise_regularizer=regularizer(config),
        **_bias_and_activation(config, "relu"),
        name=name,
    )
    return _normalize_and_activate(layer(x), config, name, "relu")


def dropout(x: keras.KerasTensor, config: KernelOptions, name: str) -> keras.KerasTensor:
    """Adds Dropout at the configured rate; a rate of 0 adds no layer."""
    import keras

    return keras.layers.Dropout(config.dropout, name=name)(x) if config.dropout > 0 else x


def spatial_dropout(x: keras.KerasTensor, config: ImageOptions, name: str) -> keras.KerasTensor:
    """Adds SpatialDropout2D at the configured rate; a rate of 0 adds no layer."""
    import keras

    rate = config.spatial_dropout
    return keras.layers.SpatialDropout2D(rate, name=name)(x) if rate > 0 else x


def flatten(x: keras.KerasTensor) -> keras.KerasTensor:
    """Flattens each sample to a vector; one that is a vector already passes unchanged."""
    import keras

    return keras.layers.Flatten(name="flatten")(x) if len(x.shape) > 2 else x


def reshape(x: keras.KerasTensor, shape: tuple[int, ...]) -> keras.KerasTensor:
    """Gives each sample a shape; one that has it already passes unchanged."""
    import keras

    return keras.layers.Reshape(shape, name="reshape")(x) if tuple(x.shape[1:]) != shape else x


def logits(x: keras.KerasTensor, config: KernelOptions, outputs: int) -> keras.KerasTensor:
    """Adds the last Dense layer, linear: logits, or the numbers of a regression."""
    return plain_dense(x, config, outputs, "logits")


def plain_dense(
    x: keras.KerasTensor, config: KernelOptions, units: int, name: str
) -> keras.KerasTensor:
    """Adds a linear Dense layer, neither normalized nor activated: an output, or a code."""
    import keras

    return keras.layers.Dense(
        units,
        kernel_initializer=config.initializer,
        kernel_regularizer=regularizer(config),
        name=name,
    )(x)


def plain_convolution(
    x: keras.KerasTensor,
    config: KernelOptions,
    filters: int,
    kernel: int,
    name: str,
    *,
    strides: int = 1,
) -> keras.KerasTensor:
    """Adds a linear Conv2D (same padding), neither normalized nor activated."""
    import keras

    return keras.layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding="same",
        kernel_initializer=config.initializer,
        kernel_regularizer=regularizer(config),
        name=name,
    )(x)


def _bias_and_activation(config: HiddenOptions, activation: str | None) -> dict[str, Any]:
    if config.normalization == "none":
        return {"activation": activation}
    return {"use_bias": config.normalization != "batch"}


def _normalize_and_activate(
    x: keras.KerasTensor, config: HiddenOptions, name: str, activation: str | None
) -> keras.KerasTensor:
    import keras

    if config.normalization == "none":
        return x  # the layer has its activation itself
    if config.normalization == "batch":
        x = keras.layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_normalization")(x)
    else:
        x = keras.layers.LayerNormalization(name=f"{name}_normalization")(x)
    if activation is None:
        return x
    return keras.layers.Activation(activation, name=f"{name}_activation")(x)
