"""From a model configuration to a fresh Keras 3 model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config.applications import APPLICATION_MODELS
from pipeline.config.families import FAMILIES, PREFIX
from pipeline.config.text_models import TextCnnModel, TextLstmModel
from pipeline.errors import ConfigError
from pipeline.models.applications import application, check_pixels_shape
from pipeline.models.autoencoder import autoencoder
from pipeline.models.ds_cnn import ds_cnn
from pipeline.models.embedding import embedding
from pipeline.models.lenet import lenet_5, lenet_300_100
from pipeline.models.mlp import mlp
from pipeline.models.resnet_8 import resnet_8
from pipeline.models.small_cnn import small_cnn
from pipeline.models.text_cnn import text_cnn
from pipeline.models.text_lstm import text_lstm
from pipeline.models.weights_file import load_weights

if TYPE_CHECKING:
    import keras

    from pipeline.config.model import ModelConfig
    from pipeline.data.prepared import PreparedData
    from pipeline.data.preprocessing import Affine
    from pipeline.tasks.task import Task

# Every architecture has the signature (x, config, outputs) -> outputs tensor.
ARCHITECTURES: dict[str, Callable[[Any, Any, int], Any]] = {
    "mlp": mlp,
    "lenet_300_100": lenet_300_100,
    "lenet_5": lenet_5,
    "small_cnn": small_cnn,
    "ds_cnn": ds_cnn,
    "resnet_8": resnet_8,
    "autoencoder": autoencoder,
    "text_cnn": text_cnn,
    "text_lstm": text_lstm,
    **{PREFIX + name: application for family in FAMILIES.values() for name in family.names},
}
FLAT_ARCHITECTURES = frozenset({"mlp", "lenet_300_100"})
# Those that begin with an embedding of token ids.
TOKEN_ARCHITECTURES = frozenset({"text_cnn", "text_lstm"})


def build_model(
    config: ModelConfig,
    input_shape: tuple[int, ...],
    task: Task,
    preprocessing: Affine | None = None,
    input_dtype: str = "float32",
    tokens: int | None = None,
) -> keras.Model:
    """Builds a functional model with linear outputs; its weights are fresh, or from a file.

    The weights depend on the state that keras.utils.set_random_seed set just before: equal
    seeds give equal weights in any process.

    Args:
        config: the architecture and its options.
        input_shape: one sample's shape, without the batch axis.
        task: gives the number of outputs: one logit per class or label, one for binary, one number
            per target; the input's own shape for reconstruction.
        preprocessing: an affine map to place inside the model, in front; None for none.
        input_dtype: "float32", or "int32" for token ids.
        tokens: number of different token ids, where the data tell it.

    Returns:
        A Keras 3 model (batch, *input_shape) → float32 (batch, task.outputs), or
        (batch, *input_shape) for reconstruction.

    Raises:
        ConfigError: the architecture does not fit the input's shape or dtype, or the weights do
            not fit the architecture.
        UntrustedModelError: a weights file that is not what it says.
    """
    import keras

    check_input_shape(config, input_shape)
    check_input_dtype(config, input_dtype)
    inputs = keras.Input(input_shape, dtype=input_dtype, name="input")
    x = inputs
    if preprocessing is not None:
        x = _rescaling(preprocessing)(x)
    if isinstance(config, TextCnnModel | TextLstmModel):
        x = embedding(x, config, tokens)
    outputs = ARCHITECTURES[config.architecture](x, config, task.outputs)
    model = keras.Model(inputs, outputs, name=config.architecture.replace("/", "_"))
    weights = getattr(config, "weights", "none")
    if isinstance(weights, Path) and not isinstance(config, APPLICATION_MODELS):
        load_weights(model, weights)
    return model


def build_for(config: ModelConfig, data: PreparedData) -> keras.Model:
    """Builds the model for prepared data; see build_model."""
    return build_model(
        config,
        data.input_shape,
        data.task,
        data.model_preprocessing,
        data.input_dtype,
        data.tokens,
    )


def check_input_shape(config: ModelConfig, input_shape: tuple[int, ...]) -> None:
    """Refuses an input shape that the architecture cannot take, before anything is built.

    Args:
        config: the architecture and its options.
        input_shape: one sample's shape, without the batch axis.

    Raises:
        ConfigError: naming the shape received, the shape needed and architectures that fit.
    """
    name = config.architecture
    if isinstance(config, APPLICATION_MODELS):
        check_pixels_shape(config, input_shape)
        return
    if name in FLAT_ARCHITECTURES or (config.architecture == "autoencoder" and not config.filters):
        return
    if name in TOKEN_ARCHITECTURES:
        if len(input_shape) != 1:
            raise ConfigError(
                f"model.architecture {name} needs texts of (length,) token ids, received samples "
                f"of shape {input_shape}"
            )
        return
    smallest = smallest_side(config)
    if len(input_shape) != 3:
        flat = ", ".join(sorted(FLAT_ARCHITECTURES))
        other = "units in place of filters" if name == "autoencoder" else flat
        raise ConfigError(
            f"model.architecture {name} needs images (height, width, channels), received samples "
            f"of shape {input_shape}; reshape the data or use {other}"
        )
    if min(input_shape[:2]) < smallest:
        raise ConfigError(
            f"model.architecture {name} needs images of at least {smallest}×{smallest} pixels, "
            f"received {input_shape[0]}×{input_shape[1]}; use larger images, or an architecture "
            f"that pools less"
        )


def check_input_dtype(config: ModelConfig, input_dtype: str) -> None:
    """Refuses token ids for an architecture without an embedding, and numbers for one with it.

    Args:
        config: the architecture and its options.
        input_dtype: "float32" (numbers) or "int32" (token ids).

    Raises:
        ConfigError: naming architectures that fit.
    """
    takes_tokens = config.architecture in TOKEN_ARCHITECTURES
    if takes_tokens == (input_dtype == "int32"):
        return
    fitting = sorted(TOKEN_ARCHITECTURES if not takes_tokens else FLAT_ARCHITECTURES)
    raise ConfigError(
        f"model.architecture {config.architecture} takes "
        f"{'token ids' if takes_tokens else 'numbers'}, and the data are {input_dtype}; "
        f"use {', '.join(fitting)}"
    )


def smallest_side(config: ModelConfig) -> int:
    """Returns the smallest height and width in pixels that leave one pixel at the end.

    lenet_5: 5×5 valid and halving, twice, ((16 - 4) / 2 - 4) / 2 = 1. small_cnn halves once per
    convolution, rounding down; autoencoder rounds up, so any image does. resnet_8 halves twice,
    ds_cnn once; smaller images would be padding only.
    """
    if config.architecture == "small_cnn":
        return 2 ** len(config.filters)
    return {"lenet_5": 16, "ds_cnn": 2, "resnet_8": 4, "autoencoder": 1}[config.architecture]


def _rescaling(preprocessing: Affine) -> keras.layers.Rescaling:
    import keras

    scale, offset = preprocessing.scale, preprocessing.offset
    return keras.layers.Rescaling(
        scale=list(scale) if isinstance(scale, tuple) else scale,
        offset=list(offset) if isinstance(offset, tuple) else offset,
        name="preprocessing",
    )
