"""What a layer or operation does to channels, one function for each kind of it.

All are about channels in the last axis; each labels what the call makes, and notes which weights
lose entries with which channels.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from pipeline.bridge.graph import Call
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


def keep(call: Call, follower: Follower) -> None:
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


def kernel(key: str, reads: int, makes: int) -> Rule:
    """Returns the rule of layers with one kernel.

    Args:
        key: of the layer's configuration, its number of filters or units.
        reads: axis of the kernel over whose channels it sums.
        makes: axis of the channels that it makes.
    """

    def rule(call: Call, follower: Follower) -> None:
        read = follower.inputs(call)[0]
        made = follower.make(call, key, call.layer.kernel.shape[makes])
        follower.slice(call, "kernel", {reads: read, makes: made}, reads, makes)
        follower.readings.append((call, read))
        _give_made(call, follower, made)

    return rule


def separable(call: Call, follower: Follower) -> None:
    """Depthwise filters for each channel, then a kernel over all that they make."""
    read = follower.inputs(call)[0]
    made = follower.make(call, "filters", call.layer.filters)
    between = np.repeat(read, call.layer.depth_multiplier)
    follower.slice(call, "depthwise_kernel", {-2: read}, reads=-2)
    follower.slice(call, "pointwise_kernel", {-2: between, -1: made}, makes=-1)
    follower.readings.append((call, read))
    _give_made(call, follower, made)


def depthwise(call: Call, follower: Follower) -> None:
    """Filters for each channel: what they make of one goes with it."""
    read = follower.inputs(call)[0]
    follower.slice(call, "kernel", {-2: read})
    _give_made(call, follower, np.repeat(read, call.layer.depth_multiplier))


def embedding(call: Call, follower: Follower) -> None:
    """A row of channels for each token."""
    made = follower.make(call, "output_dim", call.layer.output_dim)
    follower.slice(call, "embeddings", {-1: made}, makes=-1)
    follower.give(call, made)


def batch_normalization(call: Call, follower: Follower) -> None:
    """A scale, a shift and statistics for each channel."""
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


def prelu(call: Call, follower: Follower) -> None:
    """A slope for each channel, or one for all."""
    labels = follower.inputs(call)[0]
    if call.layer.alpha.shape[-1] == len(labels):
        follower.slice(call, "alpha", {-1: labels})
    follower.give(call, labels)


def rescaling(call: Call, follower: Follower) -> None:
    """One scale and offset for all channels."""
    if np.ndim(call.layer.scale) or np.ndim(call.layer.offset):
        follower.leave_alone(call, f"{call.name} has a scale for each channel")
    else:
        follower.give(call, follower.inputs(call)[0])


def permute(call: Call, follower: Follower) -> None:
    """Moves positions; channels stay the last axis."""
    if call.layer.dims[-1] != len(call.layer.dims):
        follower.leave_alone(call, f"{call.name} moves the channels to another axis")
    else:
        follower.give(call, follower.inputs(call)[0])


def flatten(call: Call, follower: Follower) -> None:
    """Strings positions together: each channel stands there once for every position."""
    places = _places(follower.shapes[call.inputs[0]])
    if places is None:
        follower.leave_alone(call, f"{call.name} flattens a size that is not known")
    else:
        follower.give(call, np.tile(follower.inputs(call)[0], places))


def reshape(call: Call, follower: Follower) -> None:
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


def merge(call: Call, follower: Follower) -> None:
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


def concatenate(call: Call, follower: Follower) -> None:
    """Strings channels together, or positions of the same channels."""
    rank = len(follower.shapes[call.outputs[0]])
    labels = follower.inputs(call)
    if call.layer.axis % rank == rank - 1:
        follower.give(call, np.concatenate(labels))
        return
    for each in labels[1:]:
        follower.ties.tie(labels[0], each)
    follower.give(call, labels[0])
