"""TensorFlow functions in a Keras 2 model (`x + y`, tf.nn.relu(x)) as operations of Keras 3.

Keras 2 keeps them as layers TFOpLambda and SlicingOpLambda that name any function of TensorFlow.
Here they are names in a table; a function without a row is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.foreign.classes import OPERATION_MODULES
from pipeline.foreign.values import Refusal

# Layer classes of Keras 2 that stand for an operation.
OPERATION_LAYERS = frozenset({"TFOpLambda", "SlicingOpLambda"})
_ABSENT = object()


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

OPERATIONS: dict[str, Operation] = {
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
_ALIASES = {
    "linalg.l2_normalize": "math.l2_normalize", "nn.l2_normalize": "math.l2_normalize",
    "image.resize_with_v1": "image.resize", "math.mod": "math.floormod",
    "floor_div": "math.floordiv", "div": "math.divide",
    "raw_ops.AddV2": "math.add",
}  # fmt: skip


def translate_operation(
    node: dict[str, Any], operand: Any, keywords: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Translates one call of a TensorFlow function.

    Args:
        node: the TFOpLambda or SlicingOpLambda.
        operand: its first argument, references to tensors already in Keras 3's form.
        keywords: its other arguments likewise; None stands for what was not given.

    Returns:
        The operation without name and calls, and the call: {"args", "kwargs"}.

    Raises:
        Refusal: the function or one of its arguments has no row.
    """
    symbol = str(node["config"].get("function")).removeprefix("compat.v1.")
    where = f"layer '{str(node['config'].get('name'))[:200]}' (tf.{symbol[:200]})"
    given = {key: value for key, value in keywords.items() if value is not None and key != "name"}
    if symbol == "__operators__.getitem":
        return _slicing(operand, given, where)
    row = OPERATIONS.get(_ALIASES.get(symbol, symbol))
    if row is None:
        raise Refusal(
            f"{where}: this TensorFlow function is not one of those that are read; build the model "
            "with layers instead, or in Keras 3"
        )
    settings = dict(row.fixed)
    for key, (new_key, translate) in row.settings.items():
        if key in given:
            settings[new_key] = translate(given.pop(key))
    operands = [given.pop(key, _ABSENT) for key in row.operands]
    if any(value is _ABSENT for value in operands):
        raise Refusal(f"{where}: expected the arguments {', '.join(row.operands)}")
    for key, value in given.items():
        if key not in row.only or value != row.only[key]:
            raise Refusal(f"{where}: the argument {key} = {str(value)[:100]} is not read")
    made = _operation(row.name, settings)
    return made, {"args": [operand, *operands], "kwargs": {}}


def _slicing(
    operand: Any, given: dict[str, Any], where: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    spec = given.pop("slice_spec", _ABSENT)
    if spec is _ABSENT or given:
        raise Refusal(f"{where}: expected one slice")
    key = [_index(one, where) for one in spec] if isinstance(spec, list) else _index(spec, where)
    return _operation("GetItem", {}), {"args": [operand, key], "kwargs": {}}


def _index(value: Any, where: str) -> Any:
    if isinstance(value, dict):
        if value.get("class_name") == "__ellipsis__":
            return {"class_name": "__ellipsis__", "config": {}}
        ends = value.get("config") if value.get("class_name") == "__slice__" else value
        if isinstance(ends, dict) and ends.keys() <= {"start", "stop", "step"}:
            return {"class_name": "__slice__", "config": dict(ends)}
    if value is None or isinstance(value, int):
        return value
    raise Refusal(f"{where}: is sliced by {str(value)[:100]}, expected numbers")


def _operation(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {"module": OPERATION_MODULES[name], "class_name": name, "config": settings}
