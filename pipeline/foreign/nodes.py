"""Parts of a model's config: {"class_name", "config", "module", …}, and how they are told apart."""

from __future__ import annotations

from typing import Any

from pipeline.foreign.classes import DTYPE_POLICIES, DTYPES, OPERATION_MODULES
from pipeline.foreign.values import Refusal

_KERAS_MODULES = ("keras.", "tf_keras.", "tensorflow.keras.", "tensorflow.python.keras.")
_OWN_MODULES = (None, "keras", "tf_keras", "builtins")


def class_name_of(node: dict[str, Any]) -> str:
    """Returns the class that a part states; "" where that is no text."""
    name = node.get("class_name")
    return name if isinstance(name, str) else ""


def class_and_config(node: Any, where: str) -> tuple[str, dict[str, Any]]:
    """Returns a part's class and settings; Refusal where it has none."""
    if not isinstance(node, dict) or not isinstance(node.get("class_name"), str):
        raise Refusal(f"{where} is no layer: received {type(node).__name__}")
    config = node.get("config")
    if not isinstance(config, dict):
        if node["class_name"] in ("function", "__lambda__"):
            raise Refusal(f"{where} is a function ({str(config)[:100]}), expected a layer")
        raise Refusal(f"{where} ({node['class_name'][:200]}) has no settings")
    return node["class_name"], config


def check_name(name: Any, where: str) -> None:
    """Refuses line breaks and a terminal's commands: names stand in tables and messages."""
    if name is not None and not (isinstance(name, str) and name.isprintable()):
        raise Refusal(f"{where}: its name is no text that can be printed")


def describe(node: Any, config: dict[str, Any], class_name: str, where: str) -> str:
    """Returns how messages name a layer: by its name, else by where it stands."""
    name = config.get("name") or node.get("name")
    shown = full_name(node) if not is_keras_own(node) else class_name[:200]
    return f"layer '{str(name)[:200]}' ({shown})" if name else f"{where} ({shown})"


def full_name(node: dict[str, Any]) -> str:
    """Returns "module.Class", or "module.function"."""
    module, name = node.get("module"), str(node.get("class_name"))
    if name == "function":
        name = str(node.get("config"))
    return f"{str(module)[:200]}.{name[:200]}" if module else name[:200]


def is_keras_own(node: dict[str, Any]) -> bool:
    """True if the file states a module of Keras, or none, and no registered name of its own."""
    module, registered = node.get("module"), node.get("registered_name")
    if registered not in (None, node.get("class_name"), node.get("config")):
        return False
    return module in _OWN_MODULES or str(module).startswith(_KERAS_MODULES)


def keras_object(module: str, class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Writes a part of a config in the form that Keras 3 reads."""
    return {"module": module, "class_name": class_name, "config": config, "registered_name": None}


def is_operation(node: dict[str, Any]) -> bool:
    """True for `x + y` and keras.ops in a functional model's list of layers.

    Keras 3 writes no module into `.h5` files; there the layers Add, Multiply, … are told by the
    dtype that each layer has and no operation.
    """
    module = node.get("module")
    if module is not None:
        return str(module).startswith("keras.src.ops.")
    config = node.get("config")
    return (
        class_name_of(node) in OPERATION_MODULES
        and isinstance(config, dict)
        and "dtype" not in config
        and "trainable" not in config
    )


def dtype_name(value: Any, where: str) -> str:
    """Returns the name of a dtype or policy; quantized ones are refused."""
    name = value
    if isinstance(value, dict) and class_name_of(value) in DTYPE_POLICIES:
        config = value.get("config")
        name = config.get("name") if isinstance(config, dict) else None
    if not isinstance(name, str) or name not in DTYPES:
        raise Refusal(
            f"{where}: its dtype is {repr(name)[:200]}, expected one of "
            f"{', '.join(sorted(DTYPES))}; save the model before it is quantized"
        )
    return name
