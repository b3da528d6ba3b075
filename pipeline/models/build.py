"""From a model configuration to a fresh Keras 3 model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigError
from pipeline.models.ds_cnn import ds_cnn
from pipeline.models.lenet import lenet_5, lenet_300_100
from pipeline.models.mlp import mlp
from pipeline.models.resnet_8 import resnet_8
from pipeline.models.small_cnn import small_cnn

if TYPE_CHECKING:
    import keras

    from pipeline.config.model import ModelConfig
    from pipeline.data.preprocessing import Affine

# Every architecture has the signature (x, config, num_classes) -> logits.
ARCHITECTURES: dict[str, Callable[[Any, Any, int], Any]] = {
    "mlp": mlp,
    "lenet_300_100": lenet_300_100,
    "lenet_5": lenet_5,
    "small_cnn": small_cnn,
    "ds_cnn": ds_cnn,
    "resnet_8": resnet_8,
}
FLAT_ARCHITECTURES = frozenset({"mlp", "lenet_300_100"})


def build_model(
    config: ModelConfig,
    input_shape: tuple[int, ...],
    num_classes: int,
    preprocessing: Affine | None = None,
) -> keras.Model:
    """Builds a functional model with fresh weights and logits as its output.

    The weights depend on the state that keras.utils.set_random_seed set just before: equal
    seeds give equal weights in any process.

    Args:
        config: the architecture and its options.
        input_shape: one sample's shape, without the batch axis.
        num_classes: number of logits, ≥ 2.
        preprocessing: an affine map to place inside the model, in front; None for none.

    Returns:
        A Keras 3 model (batch, *input_shape) → float32 (batch, num_classes).

    Raises:
        ConfigError: the architecture does not fit the input shape.
    """
    import keras

    check_input_shape(config, input_shape)
    inputs = keras.Input(input_shape, name="input")
    x = inputs
    if preprocessing is not None:
        x = _rescaling(preprocessing)(x)
    outputs = ARCHITECTURES[config.architecture](x, config, num_classes)
    return keras.Model(inputs, outputs, name=config.architecture)


def check_input_shape(config: ModelConfig, input_shape: tuple[int, ...]) -> None:
    """Refuses an input shape that the architecture cannot take, before anything is built.

    Args:
        config: the architecture and its options.
        input_shape: one sample's shape, without the batch axis.

    Raises:
        ConfigError: naming the shape received, the shape needed and architectures that fit.
    """
    name = config.architecture
    if name in FLAT_ARCHITECTURES:
        return
    smallest = smallest_side(config)
    if len(input_shape) != 3:
        flat = ", ".join(sorted(FLAT_ARCHITECTURES))
        raise ConfigError(
            f"model.architecture {name} needs images (height, width, channels), received samples "
            f"of shape {input_shape}; reshape the data or use {flat}"
        )
    if min(input_shape[:2]) < smallest:
        raise ConfigError(
            f"model.architecture {name} needs images of at least {smallest}×{smallest} pixels, "
            f"received {input_shape[0]}×{input_shape[1]}; use larger images, or an architecture "
            f"that pools less"
        )


def smallest_side(config: ModelConfig) -> int:
    """Returns the smallest height and width in pixels that leave one pixel at the end.

    lenet_5: 5×5 valid and halving, twice, ((16 - 4) / 2 - 4) / 2 = 1. small_cnn halves once per
    convolution. resnet_8 halves twice, ds_cnn once; smaller images would be padding only.
    """
    if config.architecture == "small_cnn":
        return 2 ** len(config.filters)
    return {"lenet_5": 16, "ds_cnn": 2, "resnet_8": 4}[config.architecture]


def _rescaling(preprocessing: Affine) -> keras.layers.Rescaling:
    import keras

    scale, offset = preprocessing.scale, preprocessing.offset
    return keras.layers.Rescaling(
        scale=list(scale) if isinstance(scale, tuple) else scale,
        offset=list(offset) if isinstance(offset, tuple) else offset,
        name="preprocessing",
    )
