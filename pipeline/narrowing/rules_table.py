"""Which layers and operations are understood: one explicit table.

What is not in it, or mixes channels in a way that no kernel tells, is left alone: the channels that
it reads and makes stay.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.bridge.graph import Call, Ref
from pipeline.narrowing import rules
from pipeline.narrowing.follower import Follower
from pipeline.narrowing.rules import Rule

LAYERS: dict[str, Rule] = {
    **dict.fromkeys(rules.KEEPING, rules.keep),
    **dict.fromkeys(("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"), rules.merge),
    "Dense": rules.kernel("units", reads=-2, makes=-1),
    "Conv1D": rules.kernel("filters", reads=-2, makes=-1),
    "Conv2D": rules.kernel("filters", reads=-2, makes=-1),
    "Conv3D": rules.kernel("filters", reads=-2, makes=-1),
    "Conv1DTranspose": rules.kernel("filters", reads=-1, makes=-2),
    "Conv2DTranspose": rules.kernel("filters", reads=-1, makes=-2),
    "Conv3DTranspose": rules.kernel("filters", reads=-1, makes=-2),
    "SeparableConv1D": rules.separable,
    "SeparableConv2D": rules.separable,
    "DepthwiseConv1D": rules.depthwise,
    "DepthwiseConv2D": rules.depthwise,
    "Embedding": rules.embedding,
    "BatchNormalization": rules.batch_normalization,
    "PReLU": rules.prelu,
    "Rescaling": rules.rescaling,
    "Permute": rules.permute,
    "Flatten": rules.flatten,
    "Reshape": rules.reshape,
    "Concatenate": rules.concatenate,
}
OPERATIONS: dict[str, Rule] = {
    **dict.fromkeys(
        ("Abs", "Absolute", "Clip", "Elu", "Exp", "Gelu", "HardSigmoid", "HardSilu", "LeakyRelu",
         "Negative", "Relu", "Relu6", "Selu", "Sigmoid", "Silu", "Softplus", "Softsign",
         "Square", "Tanh"),
        rules.keep,
    ),
    **dict.fromkeys(
        ("Add", "Divide", "Maximum", "Minimum", "Multiply", "Subtract", "TrueDivide"), rules.merge
    ),
    "Concatenate": rules.concatenate,
}  # fmt: skip


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
    unknown = any(not len(labels) for labels in follower.inputs(call))
    if unknown and type(layer).__name__ != "Embedding":
        return f"{call.name} reads a size that is not known"
    return None


def _leaves(call: Call) -> list[Any]:
    import keras

    return keras.tree.flatten((call.args, call.kwargs))
