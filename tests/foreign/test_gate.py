"""What passes the gate is written anew; what does not is named."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import UntrustedModelError
from pipeline.foreign import gate
from pipeline.foreign.custom import CustomObjects
from pipeline.foreign.gate import check_config

NONE = CustomObjects()


def layer(class_name: str, name: Any = "l", **config: Any) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": class_name, "config": {"name": name, **config}}


def sequential(*layers: Any) -> dict[str, Any]:
    return {"module": "keras", "class_name": "Sequential", "config": {"layers": list(layers)}}


def tensor(name: Any, call: Any = 0) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, call, 0]}}


def functional(*layers: dict[str, Any], calls: Any = None) -> dict[str, Any]:
    """Every layer is called on the one before it."""
    nodes = []
    for number, node in enumerate(layers):
        before = [{"args": [tensor(nodes[-1]["name"])], "kwargs": {}}] if number else []
        nodes.append({**node, "name": node["config"]["name"], "inbound_nodes": before})
    if calls is not None:
        nodes[-1]["inbound_nodes"] = calls
    config = {"name": "f", "layers": nodes, "input_layers": [], "output_layers": []}
    return {"module": "keras.src.models.functional", "class_name": "Functional", "config": config}


def only_layer(checked: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = checked["config"]["layers"][-1]
    return found


def test_modules_and_registered_names_of_the_file_are_not_kept() -> None:
    node = {
        **layer("Dense", units=2),
        "module": "keras.src.layers.core.dense",
        "registered_name": "Dense",
        "build_config": {"input_shape": [1]},
        "surplus": 1,
    }
    assert only_layer(check_config(sequential(node), NONE, "f")) == {
        "module": "keras.layers", "class_name": "Dense",
        "config": {"name": "l", "units": 2}, "registered_name": None,
    }  # fmt: skip


def test_objects_in_settings() -> None:
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
    penalty = {"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.1}}
    relu = {"module": "builtins", "class_name": "function", "config": "relu"}
    node = layer("Dense", dtype=policy, kernel_regularizer=penalty, activation=relu,
                 bias_initializer="zeros", kernel_constraint="NonNeg", stateful=True)  # fmt: skip
    assert only_layer(check_config(sequential(node), NONE, "f"))["config"] == {
        "name": "l", "dtype": "mixed_float16", "activation": "relu", "bias_initializer": "zeros",
        "kernel_regularizer": {**penalty, "registered_name": None}, "kernel_constraint": "NonNeg",
        "stateful": False,
    }  # fmt: skip


def test_operations_are_told_from_layers_of_the_same_name() -> None:
    add = {"class_name": "Add", "config": {"name": "add"}}
    assert only_layer(check_config(functional(add), NONE, "f"))["module"] == "keras.src.ops.numpy"
    add["config"]["dtype"] = "float32"
    assert only_layer(check_config(functional(add), NONE, "f"))["module"] == "keras.layers"


def test_shared_objects_stay_shared() -> None:
    node = {**layer("Dense", units=2), "shared_object_id": 7}
    assert only_layer(check_config(sequential(node), NONE, "f"))["shared_object_id"] == 7


OPERATION = {"module": "keras.src.ops.core", "class_name": "Unstack", "config": {"name": "u"}}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (None, "f: the model is no layer: received NoneType"),
        ({"class_name": "Functional"}, r"the model \(Functional\) has no settings"),
        (sequential(), r"the model \(Sequential\) has no list of layers"),
        (sequential({"class_name": "__lambda__", "config": "x"}), r"is a function \(x\), exp"),
        (sequential(layer("Dense", "a\x1b[31m")), "its name is no text that can be printed"),
        (sequential(layer("Dense", 3)), "its name is no text that can be printed"),
        (sequential(layer("FeatureSpace")), r"layer 'l' \(FeatureSpace\) is not one of Keras"),
        (sequential(layer("Dense", dtype="string")), "its dtype is 'string', expected one of bfl"),
        (sequential(layer("Dense", dtype={"class_name": "Int8"})), "its dtype is "),
        (sequential(layer("Dense", activation="eval")), "'eval' is not one of Keras's own activ"),
        (sequential(layer("Dense", bias_initializer="evil")), "'evil' is not one of Constant, Gl"),
        (sequential(layer("Dense", kernel_constraint={"class_name": "Evil", "config": {}})),
         r"layer 'l' \(Dense\): Evil is not one of MaxNorm"),
        (functional({**OPERATION, "class_name": "Map"}), r"'u' \(Map\) is not one of the op"),
        (functional({**OPERATION, "config": {"name": "u", "num": 10**6}}), "makes 1,000,000"),
        (functional(layer("Dense"), calls=[[["x", 0, 0]]]), "'l' is called in a form that Keras 3"),
        (functional(layer("Dense"), calls=[{"args": [], "kwargs": []}]), "'l' is called in a form"),
        (functional(layer("Dense"), calls=[{"args": [tensor(3)]}]), "with a tensor of no layer"),
        (functional(layer("Dense"), calls=[{"args": [tensor("l", -1)]}]), "a tensor of no layer"),
        (functional(layer("Dense"), calls=[{"args": [layer("Dense")]}]), "with an object \\(Dense"),
        ({"class_name": "Functional", "config": {"layers": [layer("Dense")]}},
         "a layer of a functional model has no name"),
        ({"class_name": "Functional", "config": {"layers": [{**layer("Dense"), "name": "l"}]}},
         "states no input_layers or no output_layers"),
    ],
)  # fmt: skip
def test_what_is_refused_is_named(config: Any, words: str) -> None:
    with pytest.raises(UntrustedModelError, match=words):
        check_config(config, NONE, "f")


def test_how_many_layers_and_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [layer("Dense", f"d{number}") for number in range(4)]
    monkeypatch.setattr(gate, "MAX_LAYERS", 4)
    with pytest.raises(UntrustedModelError, match="f: more than 4 layers"):
        check_config(functional(*nodes), NONE, "f")
    monkeypatch.setattr(gate, "MAX_LAYERS", 5)
    monkeypatch.setattr(gate, "MAX_CALLS", 2)
    with pytest.raises(UntrustedModelError, match="f: more than 2 calls of layers"):
        check_config(functional(*nodes), NONE, "f")
