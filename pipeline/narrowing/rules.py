"""What each layer and operation does to channels: one explicit table.

All rules are about channels in the last axis. What has no rule, or mixes channels in a way that
no kernel tells, is left alone: the channels that it reads and makes stay.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from pipeline.bridge.graph import Call, Ref
from pipeline.narrowing.follower import Follower

Rule = Callable[[Call, Follower], None]
# Functions of each value by itself, whatever stands in the other channels.
POINTWISE = frozenset(
    {
        "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu",
        "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "mish", "relu", "relu6", "selu",
        "sigmoid", "silu", "soft_shrink", "softplus", "softsign", "squareplus", "tanh",
        "tanh_shrink",
    }
)  # fmt: skip


def follow(call: Call, follower: Follower) -> None:
    """Labels the channels that a call makes, and notes what it does with those that it reads.

    Args:
        call: the next one, in an order in which they can be run.
        follower: changed; afterwards it has labels for the call's outputs.
    """
    rule = _rule_for(call.layer)
    if rule is None:
        follower.leave_alone(call, f"{call.name} ({type(call.layer).__name__}) may mix channels")
        return
    reason = _obstacle(call, follower)
    if reason is not None:
        follower.leave_alone(call, reason)
    else:
        rule(call, follower)


def _rule_for(layer: Any) -> Rule | None:
    """Layers and operations share names: Average the layer merges, the operation reduces."""
    import keras

    if not type(layer).__module__.startswith("keras.src."):
        return None
    table = LAYERS if isinstance(layer, keras.layers.Layer) else OPERATIONS
    return table.get(type(layer).__name__)


def _obstacle(call: Call, follower: Follower) -> str | None:
    """Says why a call is left alone although there is a rule for it, or None."""
    layer = call.layer
    if "/" in call.name:
        return f"{call.name} is inside a nested model"
    if getattr(layer, "data_format", None) == "channels_first":
        return f"{call.name} has its channels first"
    if getattr(layer, "groups", 1) != 1:
        return f"{call.name} convolves in groups"
    if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        return f"{call.name} holds more than its kernel (LoRA, or quantized)"
    if getattr(layer, "noise_shape", None) is not None:
        return f"{call.name} drops by a shape of its own"
    known = Ref | int | float | str | np.generic | None
    if not all(isinstance(leaf, known) for leaf in _leaves(call)):
        return f"{call.name} reads a constant array"
    if type(layer).__name__ != "Embedding" and not len(follower.labels[call.inputs[0]]):
        return f"{call.name} reads a size that is not known"
    return None


def _leaves(call: Call) -> list[Any]:
    import keras

    return keras.tree.flatten((call.args, call.kwargs))


def _keep(call: Call, follower: Follower) -> None:
    """Every channel stays where it is."""
    labels = follower.inputs(call)[0]
    if _activation_mixes(call.layer):
        follower.leave_alone(call, f"{call.name} mixes channels")
    else:
        follower.give(call, labels)


def _activation_mixes(layer: Any) -> bool:
    activation = getattr(layer, "activation", None)
    if activation is None:
        return False
    return getattr(activation, "__name__", type(activation).__name__) not in POINTWISE | KEEPING


def _give_made(call: Call, follower: Follower, labels: np.ndarray) -> None:
    """The outputs of a kernel, behind its bias and its activation."""
    follower.slice(call, "bias", {-1: labels})
    if _activation_mixes(call.layer):
        follower.freeze(labels, f"the activation of {call.name} mixes channels")
    follower.give(call, labels)


def _kernel(key: str, reads: int, makes: int) -> Rule:
    """Layers with one kernel that sums over the channels of axis `reads`."""

    def rule(call: Call, follower: Follower) -> None:
        read = follower.inputs(call)[0]
        made = follower.make(call, key, call.layer.kernel.shape[makes])
        follower.slice(call, "kernel", {reads: read, makes: made}, reads, makes)
        follower.readings.append((call, read))
        _give_made(call, follower, made)

    return rule


def _separable(call: Call, follower: Follower) -> None:
    read = follower.inputs(call)[0]
    made = follower.make(call, "filters", call.layer.filters)
    between = np.repeat(read, call.layer.depth_multiplier)
    follower.slice(call, "depthwise_kernel", {-2: read}, reads=-2)
    follower.slice(call, "pointwise_kernel", {-2: between, -1: made}, makes=-1)
    follower.readings.append((call, read))
    _give_made(call, follower, made)


def _depthwise(call: Call, follower: Follower) -> None:
    read = follower.inputs(call)[0]
    follower.slice(call, "kernel", {-2: read})
    _give_made(call, follower, np.repeat(read, call.layer.depth_multiplier))


def _embedding(call: Call, follower: Follower) -> None:
    made = follower.make(call, "output_dim", call.layer.output_dim)
    follower.slice(call, "embeddings", {-1: made}, makes=-1)
    follower.give(call, made)


def _batch_normalization(call: Call, follower: Follower) -> None:
    rank = len(follower.shapes[call.inputs[0]])
    if call.layer.axis not in (-1, rank - 1) or len(call.inputs) > 1:
        follower.leave_alone(call, f"{call.name} normalizes another axis than the last")
        return
    labels = follower.inputs(call)[0]
    for name in ("gamma", "beta", "moving_mean", "moving_variance"):
        follower.slice(call, name, {-1: labels})
    if call.layer.gamma is not None:
        follower.scales.setdefault(call.name, labels)
    follower.give(call, labels)


def _prelu(call: Call, follower: Follower) -> None:
    labels = follower.inputs(call)[0]
    if call.layer.alpha.shape[-1] == len(labels):
        follower.slice(call, "alpha", {-1: labels})
    follower.give(call, labels)


def _rescaling(call: Call, follower: Follower) -> None:
    if np.ndim(call.layer.scale) or np.ndim(call.layer.offset):
        follower.leave_alone(call, f"{call.name} has a scale for each channel")
    else:
        follower.give(call, follower.inputs(call)[0])


def _permute(call: Call, follower: Follower) -> None:
    if call.layer.dims[-1] != len(call.layer.dims):
        follower.leave_alone(call, f"{call.name} moves the channels to another axis")
    else:
        follower.give(call, follower.inputs(call)[0])


def _flatten(call: Call, follower: Follower) -> None:
    places = _places(follower.shapes[call.inputs[0]])
    if places is None:
        follower.leave_alone(call, f"{call.name} flattens a size that is not known")
    else:
        follower.give(call, np.tile(follower.inputs(call)[0], places))


def _reshape(call: Call, follower: Follower) -> None:
    """Channels stay channels if the new last axis has the same ones at every place."""
    shape = follower.shapes[call.outputs[0]]
    before, after = _places(follower.shapes[call.inputs[0]]), _places(shape)
    if before is None or after is None or shape[-1] is None:
        follower.leave_alone(call, f"{call.name} reshapes a size that is not known")
        return
    rows = np.tile(follower.inputs(call)[0], before).reshape(after, shape[-1])
    if not np.all(rows == rows[0]):
        follower.leave_alone(call, f"{call.name} spreads channels over other axes")
        return
    _, known = follower.counts.setdefault(call.name, ("target_shape", rows[0]))
    if len(known) == len(rows[0]):
        follower.ties.tie(known, rows[0])
        follower.give(call, rows[0])
    else:
        follower.freeze(known, f"{call.name} is called on other shapes")
        follower.leave_alone(call, f"{call.name} is called on other shapes")


def _places(shape: tuple[int | None, ...]) -> int | None:
    """Positions of a tensor (batch, *places, channels), or None where a size is not known."""
    places = shape[1:-1]
    return None if None in places else prod(places)  # type: ignore[arg-type]


def _merge(call: Call, follower: Follower) -> None:
    """Channels that are added, multiplied, … element by element stand or fall together."""
    shapes = [follower.shapes[ref] for ref in call.inputs]
    labels = follower.inputs(call)
    width = max(len(each) for each in labels)
    if len({len(shape) for shape in shapes}) > 1 or min(len(each) for each in labels) == 0:
        follower.leave_alone(call, f"{call.name} merges tensors of different rank")
        return
    wide = [each for each in labels if len(each) == width]
    for each in labels:
        if len(each) != width:  # one channel that meets all the others
            follower.freeze(each, f"{call.name} spreads it over all channels")
    for each in wide[1:]:
        follower.ties.tie(wide[0], each)
    follower.give(call, wide[0])


def _concatenate(call: Call, follower: Follower) -> None:
    rank = len(follower.shapes[call.outputs[0]])
    labels = follower.inputs(call)
    if call.layer.axis % rank == rank - 1:
        follower.give(call, np.concatenate(labels))
        return
    for each in labels[1:]:
        follower.ties.tie(labels[0], each)
    follower.give(call, labels[0])


# Layers that do to every channel the same, whatever stands in the others.
KEEPING = frozenset(
    {
        "Activation", "ActivityRegularization", "AlphaDropout", "AveragePooling1D",
        "AveragePooling2D", "AveragePooling3D", "Cropping1D", "Cropping2D", "Cropping3D",
        "Dropout", "ELU", "GaussianDropout", "GaussianNoise", "GlobalAveragePooling1D",
        "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalMaxPooling1D",
        "GlobalMaxPooling2D", "GlobalMaxPooling3D", "Identity", "LeakyReLU", "MaxPooling1D",
        "MaxPooling2D", "MaxPooling3D", "ReLU", "RepeatVector", "SpatialDropout1D",
        "SpatialDropout2D", "SpatialDropout3D", "UpSampling1D", "UpSampling2D", "UpSampling3D",
        "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
    }
)  # fmt: skip
LAYERS: dict[str, Rule] = {
    **dict.fromkeys(KEEPING, _keep),
    **dict.fromkeys(("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"), _merge),
    "Dense": _kernel("units", reads=-2, makes=-1),
    "Conv1D": _kernel("filters", reads=-2, makes=-1),
    "Conv2D": _kernel("filters", reads=-2, makes=-1),
    "Conv3D": _kernel("filters", reads=-2, makes=-1),
    "Conv1DTranspose": _kernel("filters", reads=-1, makes=-2),
    "Conv2DTranspose": _kernel("filters", reads=-1, makes=-2),
    "Conv3DTranspose": _kernel("filters", reads=-1, makes=-2),
    "SeparableConv1D": _separable,
    "SeparableConv2D": _separable,
    "DepthwiseConv1D": _depthwise,
    "DepthwiseConv2D": _depthwise,
    "Embedding": _embedding,
    "BatchNormalization": _batch_normalization,
    "PReLU": _prelu,
    "Rescaling": _rescaling,
    "Permute": _permute,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Concatenate": _concatenate,
}
OPERATIONS: dict[str, Rule] = {
    **dict.fromkeys(
        ("Abs", "Absolute", "Clip", "Elu", "Exp", "Gelu", "HardSigmoid", "HardSilu", "LeakyRelu",
         "Negative", "Relu", "Relu6", "Selu", "Sigmoid", "Silu", "Softplus", "Softsign",
         "Square", "Tanh"),
        _keep,
    ),
    **dict.fromkeys(
        ("Add", "Divide", "Maximum", "Minimum", "Multiply", "Subtract", "TrueDivide"), _merge
    ),
    "Concatenate": _concatenate,
}  # fmt: skip
