"""The structure of Keras 2 configs: calls, models in models, sequential models without input."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import UntrustedModelError
from pipeline.foreign.custom import CustomObjects
from pipeline.foreign.keras_2 import translate_config

NONE = CustomObjects()


def node(class_name: str, name: str, *calls: Any, **config: Any) -> dict[str, Any]:
    settings = {"name": name, **config}
    return {"class_name": class_name, "name": name, "config": settings, "inbound_nodes": [*calls]}


def functional(*nodes: Any, name: str = "f", outputs: Any = None) -> dict[str, Any]:
    last = nodes[-1]["name"]
    return {
        "class_name": "Model",
        "config": {"name": name, "layers": [*nodes], "input_layers": [["x", 0, 0]],
                   "output_layers": outputs or [[last, 0, 0]]},
    }  # fmt: skip


def translated(config: Any) -> dict[str, Any]:
    found: dict[str, Any] = translate_config(config, NONE, "f.h5")["config"]
    return found


def history(argument: Any) -> Any:
    return argument["config"]["keras_history"]


X = node("InputLayer", "x", batch_input_shape=[None, 3])


def test_one_input_and_output_stand_without_a_list() -> None:
    found = translated(functional(X, node("Dense", "d", [["x", 0, 0, {}]], units=2)))
    assert found["input_layers"] == ["x", 0, 0] and found["output_layers"] == ["d", 0, 0]
    assert found["layers"][0]["config"] == {"name": "x", "batch_shape": [None, 3]}
    (call,) = found["layers"][1]["inbound_nodes"]
    assert history(call["args"][0]) == ["x", 0, 0] and call["kwargs"] == {}


def test_arguments_of_a_call() -> None:
    arguments = {"value": ["x", 0, 0], "training": None, "states": [["x", 0, 0], 1]}
    call = node("MultiHeadAttention", "m", [["x", 0, 0, arguments]], num_heads=1, key_dim=1)
    (found,) = translated(functional(X, call))["layers"][1]["inbound_nodes"]
    assert set(found["kwargs"]) == {"value", "states"}
    assert history(found["kwargs"]["value"]) == ["x", 0, 0]
    assert (
        history(found["kwargs"]["states"][0]) == ["x", 0, 0] and found["kwargs"]["states"][1] == 1
    )
    add = node("Add", "a", [["x", 0, 0, {}], ["x", 0, 0, {}]])
    (found,) = translated(functional(X, add))["layers"][1]["inbound_nodes"]
    assert [history(one) for one in found["args"][0]] == [["x", 0, 0]] * 2


def test_constants_come_first_too() -> None:
    settings = {"function": "math.subtract", "trainable": True, "dtype": "float32"}
    call = ["_CONSTANT_VALUE", -1, 1.5, {"y": ["x", 0, 0], "name": None}]
    found = translated(functional(X, node("TFOpLambda", "s", call, **settings)))["layers"][1]
    assert found["class_name"] == "Subtract" and found["config"] == {"name": "s"}
    assert found["inbound_nodes"][0]["args"][0] == 1.5


def test_the_first_call_of_a_model_in_the_model_is_its_own_graph() -> None:
    inner = functional(X, node("Dense", "d", [["x", 0, 0, {}]], units=3), name="inner")
    called = {**inner, "name": "inner", "inbound_nodes": [[["x", 0, 0, {}]]]}
    last = node("Dense", "last", [["inner", 1, 0, {}]], units=1)
    found = translated(functional(X, called, last))
    assert history(found["layers"][2]["inbound_nodes"][0]["args"][0]) == ["inner", 0, 0]
    # As an output, Keras 3 counts as Keras 2 did.
    found = translated(functional(X, called, outputs=[["inner", 1, 0]]))
    assert found["output_layers"] == ["inner", 1, 0]


def test_a_sequential_model_without_an_input_layer() -> None:
    dense = node("Dense", "d", batch_input_shape=[None, 3], units=2)
    for config in ({"name": "s", "layers": [dense]}, [dense]):
        found = translated({"class_name": "Sequential", "config": config})
        assert found["layers"][0]["config"]["batch_shape"] == [None, 3]
        assert found["layers"][0]["config"]["name"] == "d_input"
    built = {"name": "s", "layers": [node("Dense", "d", units=2)], "build_input_shape": [None, 4]}
    found = translated({"class_name": "Sequential", "config": built})
    assert found["layers"][0]["config"]["batch_shape"] == [None, 4]


def test_names_with_slashes() -> None:
    x = node("InputLayer", "in/x", batch_input_shape=[None, 3])
    dense = node("Dense", "block/d", [["in/x", 0, 0, {}]], units=2)
    config = functional(x, dense)
    config["config"]["input_layers"] = [["in/x", 0, 0]]
    found = translated(config)
    assert found["input_layers"] == ["in_x", 0, 0] and found["output_layers"] == ["block_d", 0, 0]
    assert found["layers"][1]["config"]["name"] == found["layers"][1]["name"] == "block_d"
    assert history(found["layers"][1]["inbound_nodes"][0]["args"][0]) == ["in_x", 0, 0]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (None, "f.h5: its config is not of a form that Keras 2 writes"),
        ({"class_name": "Model", "config": {}}, r"is not of a form that Keras 2 writes \(KeyError"),
        (
            functional(X, node("TFOpLambda", "s", function="nn.relu")),
            r"\(TFOpLambda\) is called 0",
        ),
        (functional(X, node("Dense", "d", [["x", 0, 0]], colour=1)), "'colour' = 1 of Keras 2 is"),
    ],
)
def test_what_cannot_be_translated(config: Any, words: str) -> None:
    with pytest.raises(UntrustedModelError, match=words):
        translate_config(config, NONE, "f.h5")
