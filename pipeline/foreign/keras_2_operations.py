"""TensorFlow functions in a Keras 2 model (`x + y`, tf.nn.relu(x)) as operations of Keras 3.

Keras 2 keeps them as layers TFOpLambda and SlicingOpLambda that name any function of TensorFlow;
here the names are looked up in a table, and nothing is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.foreign.classes import OPERATION_MODULES
from pipeline.foreign.keras_2_functions import ALIASES, FUNCTIONS
from pipeline.foreign.values import Refusal

# Layer classes of Keras 2 that stand for an operation.
OPERATION_LAYERS = frozenset({"TFOpLambda", "SlicingOpLambda"})
_ABSENT = object()


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
    row = FUNCTIONS.get(ALIASES.get(symbol, symbol))
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
