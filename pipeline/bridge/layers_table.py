"""Layer by layer, how a Keras 3 config is carried over to tf_keras: one explicit table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class NoCounterpart(Exception):
    """A layer or setting that tf_keras lacks; the message says which. The layer runs as itself."""


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
        wrapped: attribute with a layer inside → the tf_keras argument that takes it.
        parts: attributes with the layers inside that have the weights, named alike in both.
    """

    kept: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)
    random: bool = False
    from_layer: Callable[[Any], dict[str, Any]] | None = None
    wrapped: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ()


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
    "recurrent_dropout", "zero_output_for_mask",
)  # fmt: skip
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
    "Conv3DTranspose": Row(_TRANSPOSED),
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
    "Cropping3D": Row(("cropping", "data_format")),
    "UpSampling1D": Row(("size",)),
    "UpSampling2D": Row(("size", "data_format", "interpolation")),
    "UpSampling3D": Row(("size", "data_format")),
    "Identity": Row(),
    "Masking": Row(("mask_value",)),
    # training only
    "Dropout": Row(("rate", "noise_shape"), ignored=("seed",), random=True),
    "AlphaDropout": Row(("rate", "noise_shape"), ignored=("seed",), random=True),
    "SpatialDropout1D": Row(("rate",), ignored=("seed",), random=True),
    "SpatialDropout2D": Row(("rate", "data_format"), ignored=("seed",), random=True),
    "SpatialDropout3D": Row(("rate", "data_format"), ignored=("seed",), random=True),
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
    # around other layers
    "Bidirectional": Row(
        ("merge_mode",),
        wrapped={"forward_layer": "layer", "backward_layer": "backward_layer"},
        ignored=("layer", "backward_layer"),
        parts=("forward_layer", "backward_layer"),
    ),
    "TimeDistributed": Row(wrapped={"layer": "layer"}, ignored=("layer",), parts=("layer",)),
    # recurrent
    "SimpleRNN": Row(_RECURRENT, ignored=("seed",)),
    "LSTM": Row((*_RECURRENT, "recurrent_activation", "unit_forget_bias"), ignored=("seed",)),
    "GRU": Row((*_RECURRENT, "recurrent_activation", "reset_after"), ignored=("seed",)),
}  # fmt: skip
