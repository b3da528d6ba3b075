"""The gate: a model's config in Keras 3's form, walked before Keras is given any of it.

What comes out is written anew from what the allow-list knows: a key `module` or `registered_name`
of the file never reaches Keras, which would import the one and look up the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.errors import UntrustedModelError
from pipeline.foreign import classes
from pipeline.foreign.custom import CustomObjects
from pipeline.foreign.limits import MAX_CALLS, MAX_LAYERS
from pipeline.foreign.nodes import (
    check_name,
    class_and_config,
    class_name_of,
    describe,
    dtype_name,
    full_name,
    is_keras_own,
    is_operation,
    keras_object,
)
from pipeline.foreign.values import Refusal, call_argument, plain_value
from pipeline.models.names import snake_case


def check_config(config: Any, custom: CustomObjects, where: str) -> dict[str, Any]:
    """Checks a model's config and writes it anew.

    Args:
        config: in Keras 3's form; the compile config is left out.
        custom: classes and functions that the user allows beside Keras's own.
        where: the file, for messages.

    Returns:
        A config that Keras can be given: plain values and classes of the allow-list.

    Raises:
        UntrustedModelError: naming the layer and what it holds.
    """
    check = _Check(custom)
    try:
        return check.layer(config, "the model")
    except Refusal as refusal:
        raise UntrustedModelError(f"{where}: {refusal}") from None


@dataclass
class _Check:
    """One walk over one config."""

    custom: CustomObjects
    layers: int = 0
    calls: int = 0

    def layer(self, node: Any, where: str, in_graph: bool = False) -> dict[str, Any]:
        """Checks a layer or model; in a graph it may be an operation."""
        class_name, config = class_and_config(node, where)
        where = describe(node, config, class_name, where)
        check_name(config.get("name"), where)
        self.layers += 1
        if self.layers > MAX_LAYERS:
            raise Refusal(f"more than {MAX_LAYERS:,} layers")
        found = self.custom.find(node)
        if found is not None:
            made = self._custom_object(found, node, where)
        elif in_graph and is_operation(node):
            made = _operation(class_name, config, where)
        elif class_name in classes.MODELS and is_keras_own(node):
            made = self._model(class_name, config, where)
        else:
            made = self._plain_layer(class_name, config, node, where)
        if isinstance(node.get("shared_object_id"), int):
            made["shared_object_id"] = node["shared_object_id"]
        return made

    def _plain_layer(
        self, class_name: str, config: dict[str, Any], node: Any, where: str
    ) -> dict[str, Any]:
        if class_name in classes.REFUSED_LAYERS:
            raise Refusal(
                f"{where} {classes.REFUSED_LAYERS[class_name]}; remove it, or replace it by "
                "built-in layers, and save the model again"
            )
        module = classes.APPLICATION_LAYERS.get(class_name, "keras.layers")
        known = class_name in classes.LAYERS or class_name in classes.APPLICATION_LAYERS
        if not known or not is_keras_own(node):
            raise Refusal(f"{where} is not one of Keras's own layers that are read; {_ADVICE}")
        checked = {key: self._value(key, value, where) for key, value in config.items()}
        return keras_object(module, class_name, checked)

    def _value(self, key: str, value: Any, where: str) -> Any:
        """Checks one setting of a layer; its name tells what kinds of objects it may hold."""
        if value is None or key == "stateful":
            # The state is no part of the file, and a variable that cannot be made without values
            # (keras 3.15.1); the notes tell.
            return None if value is None else False
        if key in classes.LAYER_KEYS:
            if isinstance(value, list):
                return [self.layer(one, where) for one in value]
            return self.layer(value, where)
        if key == "dtype":
            return dtype_name(value, where)
        if key.endswith("activation"):
            return self._activation(value, where)
        for ending, (module, names) in classes.OBJECTS_BY_KEY.items():
            if key.endswith(ending):
                return self._named_object(value, module, names, where)
        return plain_value(value, f"{where}: '{key}'")

    def _named_object(self, value: Any, module: str, names: frozenset[str], where: str) -> Any:
        """Checks an initializer, regularizer or constraint: a name, or a class with settings."""
        if isinstance(value, str):
            class_name = classes.OBJECT_NAMES.get(value, value)
            if class_name in names or class_name in {snake_case(name) for name in names}:
                return class_name
            raise Refusal(f"{where}: {value[:200]!r} is not one of {', '.join(sorted(names))}")
        class_name, config = class_and_config(value, where)
        found = self.custom.find(value)
        if found is not None:
            return self._custom_object(found, value, where)
        if class_name not in names or not is_keras_own(value):
            raise Refusal(
                f"{where}: {full_name(value)} is not one of {', '.join(sorted(names))}; {_ADVICE}"
            )
        checked = {key: plain_value(one, f"{where}: '{key}'") for key, one in config.items()}
        return keras_object(module, class_name, checked)

    def _activation(self, value: Any, where: str) -> Any:
        """Checks an activation: a name, a function of Keras, or a layer."""
        name = value
        if isinstance(value, dict):
            found = self.custom.find(value)
            if found is not None:
                return self._custom_object(found, value, where)
            if class_name_of(value) in classes.ACTIVATION_LAYERS:
                return self.layer(value, where)
            own = class_name_of(value) == "function" and is_keras_own(value)
            name = value.get("config") if own else None
        if isinstance(name, str):
            if name in classes.ACTIVATIONS:
                return name
            if self.custom.find({"class_name": name}) is not None:
                return self.custom.reference({"class_name": name})
        shown = full_name(value) if isinstance(value, dict) else repr(value)[:200]
        raise Refusal(f"{where}: {shown} is not one of Keras's own activations; {_ADVICE}")

    def _model(self, class_name: str, config: dict[str, Any], where: str) -> dict[str, Any]:
        nodes = config.get("layers")
        if not isinstance(nodes, list) or not nodes:
            raise Refusal(f"{where} has no list of layers")
        if class_name == "Sequential":
            layers = [self.layer(node, f"{where}, layer {n}") for n, node in enumerate(nodes)]
            kept: tuple[str, ...] = ("name", "trainable", "build_input_shape")
        else:
            layers = [self._called_layer(node, where) for node in nodes]
            kept = ("name", "trainable", "input_layers", "output_layers")
        settings = {
            key: plain_value(config[key], f"{where}: '{key}'") for key in kept if key in config
        }
        if class_name == "Sequential":
            return keras_object("keras", "Sequential", {"name": None, **settings, "layers": layers})
        if not {"input_layers", "output_layers"} <= settings.keys():
            raise Refusal(f"{where} states no input_layers or no output_layers")
        return keras_object(
            "keras.src.models.functional", "Functional", {**settings, "layers": layers}
        )

    def _called_layer(self, node: Any, where: str) -> dict[str, Any]:
        """Checks a layer of a functional model together with its calls."""
        made = self.layer(node, where, in_graph=True)
        name, calls = node.get("name"), node.get("inbound_nodes", [])
        check_name(name, where)
        if name is None or not isinstance(calls, list):
            raise Refusal(f"{where}: a layer of a functional model has no name or no calls")
        self.calls += len(calls)
        if self.calls > MAX_CALLS:
            raise Refusal(f"more than {MAX_CALLS:,} calls of layers")
        made["name"] = name
        made["inbound_nodes"] = [_call(call, f"layer '{name[:200]}'") for call in calls]
        return made

    def _custom_object(self, found: Any, node: dict[str, Any], where: str) -> dict[str, Any]:
        """Writes a reference to the user's own class or function; its settings are checked."""
        made = self.custom.reference(node)
        if isinstance(found, type):
            _, config = class_and_config(node, where)
            if isinstance(config.get("layers"), list) and "input_layers" in config:
                made["config"] = self._model("Functional", config, where)["config"]
            else:
                made["config"] = {k: self._any_value(k, v, where) for k, v in config.items()}
            build = node.get("build_config")
            if isinstance(build, dict):
                made["build_config"] = plain_value(build, f"{where}: 'build_config'")
        return made

    def _any_value(self, key: str, value: Any, where: str) -> Any:
        """Checks a setting of a custom class, which may hold layers under any name."""
        if isinstance(value, list):
            return [self._any_value(key, one, where) for one in value]
        if not isinstance(value, dict):
            return self._value(key, value, where) if key == "dtype" else plain_value(value, where)
        if "class_name" not in value:
            return {str(k): self._any_value(str(k), one, where) for k, one in value.items()}
        module = str(value.get("module"))
        for ending, (own, names) in classes.OBJECTS_BY_KEY.items():
            if key.endswith(ending) or module == own:
                return self._named_object(value, own, names, where)
        if class_name_of(value) in classes.DTYPE_POLICIES:
            return dtype_name(value, where)
        if class_name_of(value) == "function":
            return self._activation(value, where)
        if class_name_of(value).startswith("__"):
            return plain_value(value, where)
        return self.layer(value, where)


_ADVICE = (
    "where the code is yours and you trust it, give --custom-objects package.module, the module "
    "that defines it"
)


def _operation(class_name: str, config: dict[str, Any], where: str) -> dict[str, Any]:
    module = classes.OPERATION_MODULES.get(class_name)
    if module is None:
        raise Refusal(f"{where} is not one of the operations that are read; use another")
    checked = {}
    for key, value in config.items():
        checked[key] = call_argument(value, f"{where}: '{key}'")
        if key in classes.PIECES_KEYS and isinstance(value, int) and value > classes.MAX_PIECES:
            raise Refusal(f"{where} makes {value:,} pieces, expected at most {classes.MAX_PIECES}")
    return keras_object(module, class_name, checked)


def _call(call: Any, where: str) -> dict[str, Any]:
    if not isinstance(call, dict) or not isinstance(call.get("args"), list):
        raise Refusal(f"{where} is called in a form that Keras 3 does not write")
    keywords = call.get("kwargs", {})
    if not isinstance(keywords, dict):
        raise Refusal(f"{where} is called in a form that Keras 3 does not write")
    return {
        "args": [call_argument(value, where) for value in call["args"]],
        "kwargs": {str(key): call_argument(value, where) for key, value in keywords.items()},
    }
