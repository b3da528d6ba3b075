"""Layer by layer, how a Keras 3 config is carried over to tf_keras: one explicit table.

A config key that no row names is refused, not guessed: a setting that is silently lost gives
another model. Initializers are dropped, since the weights are copied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline.bridge.activations import carry_activation
from pipeline.errors import ConfigError


@dataclass(frozen=True)
class Row:
    """How one layer class crosses.

    Attributes:
        kept: config keys that carry over; activations, regularizers and constraints among
            them are translated.
        renamed: Keras 3 key → tf_keras key.
        only: keys that tf_keras lacks → the one value under which both behave alike.
        ignored: keys without effect on a model whose weights are copied.
        weights: Keras 3 weight name → tf_keras weight name, where they differ.
        random: draws random numbers in training, so it gets a seed of its own.
        from_layer: further tf_keras arguments, read from the live layer.
    """

    kept: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)
    random: bool = False
    from_layer: Callable[[Any], dict[str, Any]] | None = None


def _normalization_constants(layer: Any) -> dict[str, Any]:
    # An adapted layer holds its statistics as weights, one made with mean= as constants.
    return {
        "mean": np.asarray(layer.mean).reshape(-1),
        "variance": np.asarray(layer.variance).reshape(-1),
    }


_KERNEL = ("kernel_regularizer", "kernel_constraint")
_BIAS = ("use_bias", "bias_regularizer", "bias_constraint")
_DEPTHWISE = ("depthwise_regularizer", "depthwise_constraint", "depth_multiplier")
_POINTWISE = ("pointwise_regularizer", "pointwise_constraint")
_WINDOW = ("kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation")
_CONVOLUTION = ("filters", "groups", *_WINDOW, *_KERNEL, *_BIAS)
_TRANSPOSED = ("filters", "output_padding", *_WINDOW, *_KERNEL, *_BIAS)
_SEPARABLE = ("filters", *_WINDOW, *_DEPTHWISE, *_POINTWISE, *_BIAS)
_CENTER_SCALE = (
    "epsilon", "center", "scale",
    "beta_regularizer", "gamma_regularizer", "beta_constraint", "gamma_constraint",
)  # fmt: skip
_RECURRENT = (
    "units", "activation", *_KERNEL, *_BIAS, "recurrent_regularizer", "recurrent_constraint",
    "return_sequences", "return_state", "go_backwards", "stateful", "unroll", "dropout",
    "recurrent_dropout",
)  # fmt: skip
_RECURRENT_ONLY = {"zero_output_for_mask": False}
_POOL = ("pool_size", "strides", "padding", "data_format")
_GLOBAL_POOL = ("data_format", "keepdims")

LAYERS: dict[str, Row] = {
    # dense and convolutional
    "Dense": Row(("units", "activation", *_KERNEL, *_BIAS), only={"quantization_config": None}),
    "Conv1D": Row(_CONVOLUTION),
    "Conv2D": Row(_CONVOLUTION),
    "Conv3D": Row(_CONVOLUTION),
    "Conv1DTranspose": Row(_TRANSPOSED),
    "Conv2DTranspose": Row(_TRANSPOSED),
    "DepthwiseConv1D": Row((*_WINDOW, *_DEPTHWISE, *_BIAS), weights={"kernel": "depthwise_kernel"}),
    "DepthwiseConv2D": Row((*_WINDOW, *_DEPTHWISE, *_BIAS), weights={"kernel": "depthwise_kernel"}),
    "SeparableConv1D": Row(_SEPARABLE),
    "SeparableConv2D": Row(_SEPARABLE),
    "Embedding": Row(
        ("input_dim", "output_dim", "mask_zero", "embeddings_regularizer", "embeddings_constraint"),
        only={"quantization_config": None},
    ),
    # normalization
    "BatchNormalization": Row(
        ("axis", "momentum", *_CENTER_SCALE),
        only={"synchronized": False, "renorm": False},
        ignored=("renorm_clipping", "renorm_momentum"),
    ),
    "LayerNormalization": Row(("axis", *_CENTER_SCALE), only={"rms_scaling": False}),
    "GroupNormalization": Row(("groups", "axis", *_CENTER_SCALE)),
    "UnitNormalization": Row(("axis",)),
    "Normalization": Row(
        ("axis", "invert"), ignored=("mean", "variance"), from_layer=_normalization_constants
    ),
    "Rescaling": Row(("scale", "offset")),
    # activations
    "Activation": Row(("activation",)),
    "ReLU": Row(("max_value", "negative_slope", "threshold")),
    "LeakyReLU": Row(renamed={"negative_slope": "alpha"}),
    "PReLU": Row(("shared_axes", "alpha_regularizer", "alpha_constraint")),
    "ELU": Row(("alpha",)),
    "Softmax": Row(("axis",)),
    # pooling and shape
    "MaxPooling1D": Row(_POOL),
    "MaxPooling2D": Row(_POOL),
    "MaxPooling3D": Row(_POOL),
    "AveragePooling1D": Row(_POOL),
    "AveragePooling2D": Row(_POOL),
    "AveragePooling3D": Row(_POOL),
    "GlobalMaxPooling1D": Row(_GLOBAL_POOL),
    "GlobalMaxPooling2D": Row(_GLOBAL_POOL),
    "GlobalMaxPooling3D": Row(_GLOBAL_POOL),
    "GlobalAveragePooling1D": Row(_GLOBAL_POOL),
    "GlobalAveragePooling2D": Row(_GLOBAL_POOL),
    "GlobalAveragePooling3D": Row(_GLOBAL_POOL),
    "Flatten": Row(("data_format",)),
    "Reshape": Row(("target_shape",)),
    "Permute": Row(("dims",)),
    "RepeatVector": Row(("n",)),
    "ZeroPadding1D": Row(("padding",), only={"data_format": "channels_last"}),
    "ZeroPadding2D": Row(("padding", "data_format")),
    "ZeroPadding3D": Row(("padding", "data_format")),
    "Cropping1D": Row(("cropping",)),
    "Cropping2D": Row(("cropping", "data_format")),
    "UpSampling1D": Row(("size",)),
    "UpSampling2D": Row(("size", "data_format", "interpolation")),
    "Identity": Row(),
    "Masking": Row(("mask_value",)),
    # training only
    "Dropout": Row(("rate", "noise_shape"), ignored=("seed",), random=True),
    "AlphaDropout": Row(("rate", "noise_shape"), ignored=("seed",), random=True),
    "SpatialDropout1D": Row(("rate",), ignored=("seed",), random=True),
    "SpatialDropout2D": Row(("rate", "data_format"), ignored=("seed",), random=True),
    "GaussianNoise": Row(("stddev",), ignored=("seed",), random=True),
    "GaussianDropout": Row(("rate",), ignored=("seed",), random=True),
    # several inputs
    "Add": Row(),
    "Subtract": Row(),
    "Multiply": Row(),
    "Average": Row(),
    "Maximum": Row(),
    "Minimum": Row(),
    "Concatenate": Row(("axis",)),
    "Dot": Row(("axes", "normalize")),
    # recurrent
    "SimpleRNN": Row(_RECURRENT, only=_RECURRENT_ONLY, ignored=("seed",)),
    "LSTM": Row(
        (*_RECURRENT, "recurrent_activation", "unit_forget_bias"),
        only=_RECURRENT_ONLY,
        ignored=("seed",),
    ),
    "GRU": Row(
        (*_RECURRENT, "recurrent_activation", "reset_after"),
        only=_RECURRENT_ONLY,
        ignored=("seed",),
    ),
}  # fmt: skip

_IN_EVERY_CONFIG = ("name", "trainable", "dtype", "batch_shape", "activity_regularizer")
REGULARIZERS = frozenset({"L1", "L2", "L1L2"})
CONSTRAINTS = frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"})


def carry_over(layer: Any, name: str, seed: int) -> Any:
    """Makes the tf_keras layer that corresponds to a Keras 3 layer, without its weights.

    Args:
        layer: a Keras 3 layer.
        name: the new layer's name.
        seed: for a layer that draws random numbers, ≥ 0.

    Returns:
        A tf_keras layer, not built.

    Raises:
        ConfigError: the class or one of its settings has no counterpart.
    """
    from pipeline.bridge.start import import_tf_keras

    class_name = type(layer).__name__
    row = row_of(layer, name)
    _check_precision(layer, name)
    arguments: dict[str, Any] = {"name": name, "trainable": layer.trainable}
    for key, value in layer.get_config().items():
        if key in row.kept:
            arguments[key] = _carry_value(key, value, f"layer '{name}' ({class_name})")
        elif key in row.renamed:
            arguments[row.renamed[key]] = value
        else:
            _check_dropped(key, value, row, f"layer '{name}' ({class_name})")
    if row.random:
        arguments["seed"] = seed
    if row.from_layer is not None:
        arguments |= row.from_layer(layer)
    made = getattr(import_tf_keras().layers, class_name)(**arguments)
    if hasattr(made, "cell"):
        # SimpleRNN takes no seed, and that of an LSTM does not reach its cell, which draws the
        # masks (tf_keras 2.21.0). Generators are made when the layer is built.
        for drawing in (made, made.cell):
            if hasattr(drawing, "_random_generator"):
                drawing._random_generator._seed = seed
    return made


def row_of(layer: Any, name: str) -> Row:
    """Returns the table's row for a Keras 3 layer; ConfigError where there is none."""
    class_name = type(layer).__name__
    if not type(layer).__module__.startswith("keras.src.layers.") or class_name not in LAYERS:
        raise ConfigError(
            f"layer '{name}' of class {class_name} cannot cross to tf_keras for prune or qat; "
            "replace it by built-in layers, or leave prune out and use quantize.method: ptq"
        )
    return LAYERS[class_name]


def _carry_value(key: str, value: Any, where: str) -> Any:
    if key.endswith("activation"):
        return carry_activation(value, where)
    if key.endswith("_regularizer"):
        return _carry_object(key, value, REGULARIZERS, where)
    if key.endswith("_constraint"):
        return _carry_object(key, value, CONSTRAINTS, where)
    return value


def _carry_object(key: str, value: Any, known: frozenset[str], where: str) -> Any:
    """Turns a serialized regularizer or constraint into tf_keras's of the same class."""
    if value is None:
        return None
    from pipeline.bridge.start import import_tf_keras

    tf_keras = import_tf_keras()
    class_name = value["class_name"] if isinstance(value, dict) else str(value)
    if class_name not in known:
        raise ConfigError(
            f"{where}: {key} {class_name} cannot cross to tf_keras; use one of "
            f"{', '.join(sorted(known))}, or none"
        )
    module = tf_keras.regularizers if key.endswith("_regularizer") else tf_keras.constraints
    return getattr(module, class_name)(**value["config"])


def _check_precision(layer: Any, name: str) -> None:
    policy = getattr(layer, "dtype_policy", None)
    if policy is not None and policy.compute_dtype not in ("float32", "int32"):
        raise ConfigError(
            f"layer '{name}' computes in {policy.compute_dtype}; prune and qat need float32: "
            "rebuild the model with dtype float32"
        )
    if getattr(layer, "activity_regularizer", None) is not None:
        raise ConfigError(
            f"layer '{name}' has an activity_regularizer, which Keras 3 and tf_keras scale "
            "differently; remove it before prune or qat"
        )


def _check_dropped(key: str, value: Any, row: Row, where: str) -> None:
    if key.endswith("_initializer") or key in row.ignored or key in _IN_EVERY_CONFIG:
        return
    if key not in row.only:
        raise ConfigError(
            f"{where}: setting '{key}' = {value!r} is not known to the bridge; "
            "rebuild the layer without it, or leave prune and qat out"
        )
    if value != row.only[key]:
        raise ConfigError(
            f"{where}: setting '{key}' = {value!r} has no counterpart in tf_keras, expected "
            f"{row.only[key]!r}; rebuild the layer with that, or leave prune and qat out"
        )
