"""The networks of keras.applications: their preprocessing in front, a new head behind.

The front maps pixels from 0 to 255, of one channel or three, to what the family was trained on;
its layers ship with the model. Keras's own `preprocess_input` is compared with it in the tests.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.config.families import class_of, family_of
from pipeline.errors import ConfigError
from pipeline.models import layers
from pipeline.models.names import is_automatic, numbered, snake_case
from pipeline.models.weights_file import load_weights

if TYPE_CHECKING:
    import keras

    from pipeline.config.applications import AnyApplication, ApplicationModel
    from pipeline.data.preprocessing import Affine

CHANNELS = 3
# Of ImageNet's images, as in keras.applications.imagenet_utils: RGB in [0, 1], and BGR in [0, 255].
MEAN_RGB, DEVIATION_RGB = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MEAN_BGR = (103.939, 116.779, 123.68)
# What is new behind the base; everything else is the base that transfer learning freezes.
HEAD_LAYERS = frozenset({"head_dropout", "logits"})
OWN_ARGUMENTS = ("alpha", "depth_multiplier", "minimalistic")


def application(x: keras.KerasTensor, config: ApplicationModel, outputs: int) -> keras.KerasTensor:
    """Connects a network of keras.applications: pooled features, dropout, logits.

    Args:
        x: pixels (batch, height, width, 1 or 3) from 0 to 255.
        config: name, weights, its own arguments, resize, and the options of the head.
        outputs: number of outputs of the head.

    Returns:
        (batch, outputs).

    Raises:
        ConfigError: the weights cannot be had or do not fit.
        UntrustedModelError: a weights file that is not what it says.
    """
    x = preprocess(x, config)
    base = _base(x, config)
    name_stably(base)
    _momentum(base)
    if isinstance(config.weights, Path):
        load_weights(base, config.weights)
        finish_normalization(base, config)
    x = layers.dropout(base.output, config, "head_dropout")
    return layers.logits(x, config, outputs)


def check_pixels_shape(config: AnyApplication, input_shape: tuple[int, ...]) -> None:
    """Refuses samples that are no images, or too small ones.

    Args:
        config: name and resize.
        input_shape: one sample's shape, without the batch axis.

    Raises:
        ConfigError: naming the shape received and what is needed.
    """
    name, smallest = config.architecture, family_of(config.architecture).smallest
    if len(input_shape) != 3 or input_shape[2] not in (1, CHANNELS):
        raise ConfigError(
            f"model.architecture {name} needs images (height, width, 1 or 3 channels), received "
            f"samples of shape {input_shape}; use other data or another architecture"
        )
    if config.resize is None and min(input_shape[:2]) < smallest:
        raise ConfigError(
            f"model.architecture {name} needs images of at least {smallest}×{smallest} pixels, "
            f"received {input_shape[0]}×{input_shape[1]}; let the model enlarge them: "
            f"model.resize=[{smallest},{smallest}]"
        )


def check_pixels(x: np.ndarray, inside: Affine | None) -> None:
    """Refuses samples that can hardly be pixels from 0 to 255.

    Args:
        x: some samples, as the model takes them.
        inside: the affine map that the model begins with, if any.

    Raises:
        ConfigError: they lie in [-1, 1], which the family's preprocessing would make a grey blur.
    """
    pixels = x if inside is None else inside.apply(x)
    low, high = float(pixels.min()), float(pixels.max())
    if low < -1 or high > 1 or low == high:
        return
    raise ConfigError(
        f"data.preprocessing: samples lie in [{low:g}, {high:g}] in front of the family's own "
        "preprocessing, which expects pixels from 0 to 255; use {kind: rescale, scale: 255}"
    )


def preprocess(x: keras.KerasTensor, config: ApplicationModel) -> keras.KerasTensor:
    """Connects the front: resizing, three channels, and the family's preprocessing.

    Args:
        x: pixels (batch, height, width, 1 or 3) from 0 to 255.
        config: name and resize.

    Returns:
        (batch, height', width', 3), equal to `preprocess_input` of the family.
    """
    import keras

    if config.resize is not None and tuple(x.shape[1:3]) != config.resize:
        x = keras.ops.image.resize(x, config.resize, interpolation="bilinear")
    mode = family_of(config.architecture).mode
    colored = x.shape[-1] == CHANNELS
    if not colored:
        x = keras.layers.Concatenate(name="channels")([x, x, x])
    if mode == "inside":
        return x
    if mode == "tf":
        return keras.layers.Rescaling(1 / 127.5, -1.0, name="family_preprocessing")(x)
    if mode == "torch":
        scale = [1 / (255 * deviation) for deviation in DEVIATION_RGB]
        offset = [-m / d for m, d in zip(MEAN_RGB, DEVIATION_RGB, strict=True)]
        return keras.layers.Rescaling(scale, offset, name="family_preprocessing")(x)
    if colored:  # equal channels stay what they are
        x = keras.ops.take(x, [2, 1, 0], axis=-1)
    return keras.layers.Rescaling(1.0, [-m for m in MEAN_BGR], name="family_preprocessing")(x)


def _base(x: keras.KerasTensor, config: ApplicationModel) -> keras.Model:
    """Builds the network behind `x`, in the same graph: no nested model, so layers keep names."""
    import keras

    build = getattr(keras.applications, class_of(config.architecture))
    own = {name: getattr(config, name) for name in OWN_ARGUMENTS if hasattr(config, name)}
    weights = "imagenet" if config.weights == "imagenet" else None
    with warnings.catch_warnings():
        # MobileNets say that the weights of 224×224 are taken for a size they have none for.
        warnings.simplefilter("ignore")
        try:
            return build(
                include_top=False,
                weights=weights,
                input_tensor=x,
                input_shape=tuple(x.shape[1:]),
                pooling="avg",
                **own,
            )
        except Exception as error:  # a bare Exception is what Keras raises without a network
            if weights is None:
                raise
            reason = " ".join(str(error).split())[:200]
            raise ConfigError(
                f"model.weights: Keras's imagenet weights for {config.architecture} cannot be had "
                f"({reason}); fetch them where there is a network and give the file: "
                "model.weights=PATH, or use none"
            ) from error


def _momentum(base: keras.Model) -> None:
    """Gives BatchNormalization the momentum of our own architectures (reason in layers.py)."""
    import keras

    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = layers.MOMENTUM


def finish_normalization(base: keras.Model, config: ApplicationModel) -> None:
    """Does what Keras does in one further layer with `imagenet` weights of EfficientNet B0–B7.

    They were trained on (x - mean) / variance; Keras divides by sqrt(variance) and, only where
    weights="imagenet", again by sqrt(deviation) (keras 3.15.1). The same, in the variance. A
    file made without ImageNet's statistics (mean 0) stays as it is.
    """
    import keras

    if not class_of(config.architecture).startswith("EfficientNetB"):
        return
    for layer in base.layers:
        if isinstance(layer, keras.layers.Normalization):
            weights = {weight.name: weight for weight in layer.weights}
            if np.any(weights["mean"].numpy()):
                variance = weights["variance"].numpy() * np.asarray(DEVIATION_RGB, np.float32)
                weights["variance"].assign(variance)
            layer.finalize_state()


def name_stably(base: keras.Model) -> None:
    """Numbers automatic names within the model.

    Keras numbers them over the life of the process (conv2d_94), and names are part of a model's
    digest, of checkpoints and of settings per layer: they must be the same in every process.
    """
    seen: dict[str, int] = {}
    for operation in base.operations:
        class_name = type(operation).__name__
        if is_automatic(operation.name, class_name):
            operation.name = numbered(snake_case(class_name), seen)
