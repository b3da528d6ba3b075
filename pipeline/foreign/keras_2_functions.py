"""The TensorFlow functions that a Keras 2 model may hold, and their Keras 3 operations: a table.

A function without a row is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Operation:
    """How one TensorFlow function is written in Keras 3.

    Attributes:
        name: class of the Keras 3 operation.
        settings: TensorFlow argument → Keras 3's name of the setting, and its translation.
        operands: TensorFlow arguments that are passed on in the call, in this order.
        fixed: settings of Keras 3 that the TensorFlow function implies.
        only: TensorFlow arguments that must have this value.
    """

    name: str
    settings: Mapping[str, tuple[str, Callable[[Any], Any]]] = field(default_factory=dict)
    operands: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    only: Mapping[str, Any] = field(default_factory=dict)


def _same(value: Any) -> Any:
    return value


def _keep(*names: str, **renamed: str) -> dict[str, tuple[str, Callable[[Any], Any]]]:
    return {**{n: (n, _same) for n in names}, **{old: (new, _same) for old, new in renamed.items()}}


def _cuts(sizes: Any) -> Any:
    """Turns the sizes of pieces into the places where NumPy's split cuts."""
    if not isinstance(sizes, list):
        return sizes
    return [sum(sizes[: end + 1]) for end in range(len(sizes) - 1)]


def _lower(text: Any) -> str:
    return str(text).lower()


def _data_format(text: Any) -> str:
    return {"NHWC": "channels_last", "NCHW": "channels_first"}.get(str(text), str(text))


_REDUCE = _keep("axis", "keepdims")
_BINARY = ("y",)

FUNCTIONS: dict[str, Operation] = {
    # two operands
    "__operators__.add": Operation("Add", operands=_BINARY),
    "math.add": Operation("Add", operands=_BINARY),
    "math.subtract": Operation("Subtract", operands=_BINARY),
    "math.multiply": Operation("Multiply", operands=_BINARY),
    "math.divide": Operation("Divide", operands=_BINARY),
    "math.truediv": Operation("Divide", operands=_BINARY),
    "math.divide_no_nan": Operation("DivideNoNan", operands=_BINARY),
    "math.floordiv": Operation("FloorDivide", operands=_BINARY),
    "math.floormod": Operation("Mod", operands=_BINARY),
    "math.pow": Operation("Power", operands=_BINARY),
    "math.maximum": Operation("Maximum", operands=_BINARY),
    "math.minimum": Operation("Minimum", operands=_BINARY),
    "math.greater": Operation("Greater", operands=_BINARY),
    "math.greater_equal": Operation("GreaterEqual", operands=_BINARY),
    "math.less": Operation("Less", operands=_BINARY),
    "math.less_equal": Operation("LessEqual", operands=_BINARY),
    "math.equal": Operation("Equal", operands=_BINARY),
    "math.not_equal": Operation("NotEqual", operands=_BINARY),
    "math.logical_and": Operation("LogicalAnd", operands=_BINARY),
    "math.logical_or": Operation("LogicalOr", operands=_BINARY),
    "linalg.matmul": Operation(
        "Matmul",
        operands=("b",),
        only={"transpose_a": False, "transpose_b": False, "adjoint_a": False, "adjoint_b": False,
              "a_is_sparse": False, "b_is_sparse": False},
    ),
    "where": Operation("Where", operands=("x", "y")),
    # element by element
    "identity": Operation("Copy"),
    "stop_gradient": Operation("StopGradient"),
    "math.abs": Operation("Absolute"),
    "math.ceil": Operation("Ceil"),
    "math.cos": Operation("Cos"),
    "math.erf": Operation("Erf"),
    "math.exp": Operation("Exp"),
    "math.floor": Operation("Floor"),
    "math.log": Operation("Log"),
    "math.log1p": Operation("Log1p"),
    "math.logical_not": Operation("LogicalNot"),
    "math.negative": Operation("Negative"),
    "math.reciprocal": Operation("Reciprocal"),
    "math.rsqrt": Operation("Rsqrt"),
    "math.sigmoid": Operation("Sigmoid"),
    "math.sign": Operation("Sign"),
    "math.sin": Operation("Sin"),
    "math.softplus": Operation("Softplus"),
    "math.sqrt": Operation("Sqrt"),
    "math.square": Operation("Square"),
    "math.tanh": Operation("Tanh"),
    "nn.relu": Operation("Relu"),
    "nn.relu6": Operation("Relu6"),
    "nn.elu": Operation("Elu"),
    "nn.selu": Operation("Selu"),
    "nn.sigmoid": Operation("Sigmoid"),
    "nn.silu": Operation("Silu", only={"beta": 1.0}),
    "nn.softplus": Operation("Softplus"),
    "nn.softsign": Operation("Softsign"),
    "nn.swish": Operation("Silu", only={"beta": 1.0}),
    "nn.tanh": Operation("Tanh"),
    "nn.leaky_relu": Operation(
        "LeakyRelu", _keep(alpha="negative_slope"), fixed={"negative_slope": 0.2}
    ),
    # Keras 3's operation takes the approximation unless told otherwise.
    "nn.gelu": Operation("Gelu", _keep("approximate"), fixed={"approximate": False}),
    "nn.softmax": Operation("Softmax", _keep("axis")),
    "nn.log_softmax": Operation("LogSoftmax", _keep("axis")),
    "clip_by_value": Operation("Clip", _keep(clip_value_min="x_min", clip_value_max="x_max")),
    "cast": Operation("Cast", _keep("dtype")),
    # over axes
    "math.reduce_mean": Operation("Mean", _REDUCE),
    "math.reduce_sum": Operation("Sum", _REDUCE),
    "math.reduce_max": Operation("Max", _REDUCE),
    "math.reduce_min": Operation("Min", _REDUCE),
    "math.reduce_prod": Operation("Prod", _REDUCE),
    "math.reduce_std": Operation("Std", _REDUCE),
    "math.reduce_variance": Operation("Var", _REDUCE),
    "math.reduce_any": Operation("Any", _REDUCE),
    "math.reduce_all": Operation("All", _REDUCE),
    "math.reduce_logsumexp": Operation("Logsumexp", _REDUCE),
    "math.cumsum": Operation("Cumsum", _keep("axis"), fixed={"axis": 0},
                             only={"exclusive": False, "reverse": False}),
    # max(norm, ε) against sqrt(max(norm², ε))
    "math.l2_normalize": Operation(
        "Normalize",
        {**_keep("axis"), "epsilon": ("epsilon", math.sqrt)},
        fixed={"order": 2, "epsilon": 1e-6},
    ),
    # shapes
    "concat": Operation("Concatenate", _keep("axis")),
    "stack": Operation("Stack", _keep("axis")),
    "unstack": Operation("Unstack", _keep("axis", "num")),
    "split": Operation(
        "Split", {**_keep("axis"), "num_or_size_splits": ("indices_or_sections", _cuts)},
        only={"num": None},
    ),
    "expand_dims": Operation("ExpandDims", _keep("axis")),
    "squeeze": Operation("Squeeze", _keep("axis")),
    "reshape": Operation("Reshape", _keep(shape="newshape")),
    "transpose": Operation("Transpose", _keep(perm="axes"), only={"conjugate": False}),
    "tile": Operation("Tile", _keep(multiples="repeats")),
    "repeat": Operation("Repeat", _keep("repeats", "axis")),
    "reverse": Operation("Flip", _keep("axis")),
    "pad": Operation(
        "Pad", {**_keep(paddings="pad_width"), "mode": ("mode", _lower)},
        only={"constant_values": 0},
    ),
    "image.resize": Operation(
        "Resize", {**_keep("size"), "method": ("interpolation", _lower)},
        fixed={"data_format": "channels_last"},
        only={"preserve_aspect_ratio": False, "antialias": False},
    ),
    "nn.depth_to_space": Operation(
        "DepthToSpace", {**_keep("block_size"), "data_format": ("data_format", _data_format)}
    ),
    "nn.space_to_depth": Operation(
        "SpaceToDepth", {**_keep("block_size"), "data_format": ("data_format", _data_format)}
    ),
}  # fmt: skip
# Further symbols of the same functions.
ALIASES = {
    "linalg.l2_normalize": "math.l2_normalize", "nn.l2_normalize": "math.l2_normalize",
    "image.resize_with_v1": "image.resize", "math.mod": "math.floormod",
    "floor_div": "math.floordiv", "div": "math.divide",
    "raw_ops.AddV2": "math.add",
}  # fmt: skip
