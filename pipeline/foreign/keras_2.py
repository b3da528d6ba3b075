"""Rewrites a model's config of Keras 2 in the form of Keras 3; what comes out passes the gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.errors import UntrustedModelError
from pipeline.foreign import classes
from pipeline.foreign.custom import CustomObjects
from pipeline.foreign.keras_2_layers import ROWS, translate_layer
from pipeline.foreign.keras_2_operations import OPERATION_LAYERS, translate_operation
from pipeline.foreign.layer_tree import own_name
from pipeline.foreign.nodes import keras_object
from pipeline.foreign.values import Refusal, tensor

_CONSTANT = "_CONSTANT_VALUE"
# What Keras 2 puts before the name of a class that was registered without a package.
_UNNAMED_PACKAGE = "Custom>"
_RECURRENT = frozenset({
    "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRU", "LSTM", "RNN", "SimpleRNN",
})  # fmt: skip


def translate_config(config: Any, custom: CustomObjects, where: str) -> dict[str, Any]:
    """Translates a whole model.

    Args:
        config: {"class_name", "config"} as Keras 2 wrote it, in either format.
        custom: the user's own classes, whose settings are left as they are.
        where: the file, for messages.

    Returns:
        The same model in Keras 3's form; not checked yet.

    Raises:
        UntrustedModelError: a class or setting without counterpart.
    """
    try:
        return _layer(config, custom)
    except Refusal as refusal:
        raise UntrustedModelError(f"{where}: {refusal}") from None
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise UntrustedModelError(
            f"{where}: its config is not of a form that Keras 2 writes "
            f"({type(error).__name__}: {error}); save the model again"
        ) from error


def _layer(node: Any, custom: CustomObjects) -> dict[str, Any]:
    class_name, config = node["class_name"], node["config"]
    if custom.find(node) is not None:
        return dict(node)
    if class_name == "Sequential":
        made = _sequential(config, custom)
    elif class_name in classes.MODELS:
        made = _functional(config, custom)
    elif class_name in classes.LAYERS or class_name in ROWS:
        new_class, settings = translate_layer(class_name, config)
        if isinstance(settings.get("name"), str):
            settings["name"] = own_name(settings["name"])
        for key in classes.LAYER_KEYS:
            if settings.get(key) is not None:
                settings[key] = _inner(settings[key], custom)
        made = keras_object("keras.layers", new_class, settings)
    elif (bare_name := class_name.removeprefix(_UNNAMED_PACKAGE)) in classes.APPLICATION_LAYERS:
        settings = {**config, "name": own_name(config["name"])}
        made = keras_object(classes.APPLICATION_LAYERS[bare_name], bare_name, settings)
        node = {**node, "registered_name": None}
    else:
        # The gate knows what to say of it.
        return dict(node)
    module, registered = node.get("module"), node.get("registered_name")
    if module is not None and not str(module).startswith(("keras", "tf_keras", "tensorflow")):
        made |= {"module": module}
    if registered not in (None, class_name):
        made |= {"registered_name": registered}
    if isinstance(node.get("shared_object_id"), int):
        made["shared_object_id"] = node["shared_object_id"]
    return made


def _inner(value: Any, custom: CustomObjects) -> Any:
    """Translates the layer or cell inside a layer; some layers hold a list of them."""
    return (
        [_layer(one, custom) for one in value] if isinstance(value, list) else _layer(value, custom)
    )


def _sequential(config: Any, custom: CustomObjects) -> dict[str, Any]:
    # Before Keras 2.3 the config was the bare list of layers.
    settings = config if isinstance(config, dict) else {"layers": config}
    nodes = settings["layers"]
    made = {key: settings[key] for key in ("name", "trainable", "build_input_shape")
            if settings.get(key) is not None}  # fmt: skip
    layers = [_layer(node, custom) for node in nodes]
    first = nodes[0]["config"]
    if nodes[0]["class_name"] != "InputLayer" and isinstance(first, dict):
        shape = first.get("batch_input_shape") or settings.get("build_input_shape")
        if shape is not None:
            dtype = "float32" if nodes[0]["class_name"] != "Embedding" else "int32"
            layers.insert(0, keras_object("keras.layers", "InputLayer", {
                "batch_shape": shape, "dtype": dtype,
                "name": own_name(f"{first.get('name')}_input"),
            }))  # fmt: skip
    made.pop("build_input_shape", None)
    return keras_object("keras", "Sequential", {**made, "layers": layers})


def _functional(config: dict[str, Any], custom: CustomObjects) -> dict[str, Any]:
    nodes = {node["name"]: node["class_name"] for node in config["layers"]}
    layers = []
    for node in config["layers"]:
        calls = [_Call(nodes, raw) for raw in node.get("inbound_nodes", [])]
        made, made_calls = _called(node, calls, custom)
        layers.append({**made, "name": own_name(node["name"]), "inbound_nodes": made_calls})
    return keras_object("keras.src.models.functional", "Functional", {
        **{key: config[key] for key in ("name", "trainable") if key in config},
        "layers": layers,
        "input_layers": _ends(config["input_layers"], nodes),
        "output_layers": _ends(config["output_layers"], nodes),
    })  # fmt: skip


def _called(
    node: dict[str, Any], calls: list[_Call], custom: CustomObjects
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if node["class_name"] not in OPERATION_LAYERS:
        made = _layer(node, custom)
        return made, [_arguments(node["class_name"], call) for call in calls]
    if len(calls) != 1:
        raise Refusal(f"layer '{node['name']}' ({node['class_name']}) is called {len(calls)} times")
    made, call = translate_operation(node, calls[0].first, calls[0].keywords)
    made["config"]["name"] = own_name(node["name"])
    return made, [call]


def _arguments(class_name: str, call: _Call) -> dict[str, Any]:
    if class_name in _RECURRENT and isinstance(call.first, list):
        # Keras 2 lists the initial states behind the sequence.
        first, *states = call.first
        return {"args": [first], "kwargs": {**call.keywords, "initial_state": states}}
    return {"args": [call.first], "kwargs": call.keywords}


class _Call:
    """One call of a layer: its first argument and the others by name, in Keras 3's form."""

    def __init__(self, nodes: Mapping[str, str], raw: Any) -> None:
        self._nodes = nodes
        self.keywords: dict[str, Any] = {}
        self.first = self._argument(raw)

    def _argument(self, raw: Any) -> Any:
        if self._is_reference(raw) or (isinstance(raw, list) and raw and raw[0] == _CONSTANT):
            if len(raw) == 4 and raw[3]:
                self.keywords |= {
                    key: self._keyword(value) for key, value in raw[3].items() if value is not None
                }
            return raw[2] if raw[0] == _CONSTANT else self._reference(raw)
        if isinstance(raw, dict):
            return {key: self._argument(value) for key, value in raw.items()}
        made = [self._argument(value) for value in raw]
        return made[0] if len(made) == 1 else made

    def _keyword(self, value: Any) -> Any:
        if self._is_reference(value) and len(value) == 3:
            return self._reference(value)
        if isinstance(value, list):
            return [self._keyword(one) for one in value]
        return value

    def _is_reference(self, value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) in (3, 4)
            and isinstance(value[0], str)
            and value[0] in self._nodes
            and isinstance(value[1], int)
            and isinstance(value[2], int)
        )

    def _reference(self, value: list[Any]) -> dict[str, Any]:
        name, call, output = value[:3]
        # Keras 2 counts the model's own graph as the first call of a model in a model.
        call -= self._nodes[name] in classes.MODELS
        return tensor([own_name(name), call, output])


def _ends(raw: Any, nodes: Mapping[str, str]) -> Any:
    """Translates the lists of inputs and outputs; one alone stands without a list."""
    if isinstance(raw, dict):
        return {key: _ends(value, nodes) for key, value in raw.items()}
    if len(raw) == 3 and isinstance(raw[0], str):
        name, call, output = raw
        return [own_name(name), call - (nodes[name] == "Sequential"), output]
    made = [_ends(one, nodes) for one in raw]
    return made[0] if len(made) == 1 else made
