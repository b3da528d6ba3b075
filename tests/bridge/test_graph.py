"""Walking Keras 3 graphs."""

from __future__ import annotations

import pytest

from pipeline.bridge.graph import Ref, fill, walk
from pipeline.errors import ConfigError
from tests.bridge.bridge_models import (
    chain_cnn,
    deeply_nested,
    nested,
    operators,
    sequential,
    several_inputs,
)


def test_a_chain_is_read_in_order() -> None:
    graph = walk(chain_cnn())
    names = ["c1", "n1", "a1", "d1", "p1", "c2", "drop", "flat", "logits"]
    assert [call.name for call in graph.calls] == names
    assert [(entry.name, entry.shape) for entry in graph.inputs] == [("image", (None, 8, 8, 1))]
    assert graph.shapes[graph.output_refs()[0]] == (None, 3)


def test_a_sequential_model_is_read() -> None:
    assert next(iter(walk(sequential()).layers())) == "c1"


def test_a_shared_layer_is_called_twice_and_outputs_keep_their_structure() -> None:
    graph = walk(several_inputs())
    assert [call.name for call in graph.calls].count("shared") == 2
    assert list(graph.layers()).count("shared") == 1
    assert set(graph.outputs) == {"logits", "score"}


def test_nested_models_are_flattened_each_time_they_are_called() -> None:
    names = [call.name for call in walk(nested()).calls]
    assert names == [
        "outer", "block/inner", "block/relu", "block/inner", "block/relu", "logits",
    ]  # fmt: skip


def test_a_layer_in_several_models_is_one_layer() -> None:
    names = [call.name for call in walk(deeply_nested()).calls]
    assert [name for name in names if name.endswith("shared")] == ["shared"] * 4
    assert names.count("core/narrow") == 2


def test_operators_keep_their_constants_and_read_only_earlier_calls() -> None:
    graph = walk(operators())
    known = {entry.ref for entry in graph.inputs}
    for call in graph.calls:
        assert set(call.inputs) <= known
        known |= set(call.outputs)
    multiply = next(call for call in graph.calls if call.name.startswith("multiply"))
    assert multiply.args[1] == 0.5


def test_consumers_name_every_reader() -> None:
    graph = walk(several_inputs())
    join = next(call for call in graph.calls if call.name == "join")
    assert all(graph.consumers()[ref] == [join] for ref in join.inputs)


def test_a_deep_model_does_not_exhaust_the_stack() -> None:
    import keras

    x = inputs = keras.Input((2,))
    for _ in range(250):
        x = x + 1.0
    assert len(walk(keras.Model(inputs, x)).calls) == 250


def test_fill_replaces_refs_only() -> None:
    assert fill(([Ref(3), 5], {"a": Ref(1)}), lambda ref: ref.number) == ([3, 5], {"a": 1})


def test_a_subclassed_model_is_refused() -> None:
    import keras

    class Own(keras.Model):
        def call(self, x: object) -> object:
            return x

    with pytest.raises(ConfigError, match=r"Own is subclassed and has no graph.*functional API"):
        walk(Own())


def test_an_unbuilt_model_is_refused() -> None:
    import keras

    with pytest.raises(ConfigError, match="is not built; give it an Input layer"):
        walk(keras.Sequential([keras.layers.Dense(2)]))


def test_what_is_no_keras_3_model_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"received builtins\.int, expected a Keras 3 model"):
        walk(5)  # type: ignore[arg-type]


def test_two_layers_of_one_name_are_refused() -> None:
    import keras

    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="d")], name="m")
    twin = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="d")], name="m2")
    twin.name = "m"
    inputs = keras.Input((2,))
    with pytest.raises(ValueError, match=r"unique|two layers are named 'm/d'"):
        walk(keras.Model(inputs, twin(inner(inputs))))


def test_the_recorded_training_argument_is_left_to_the_model() -> None:
    calls = {call.name: call for call in walk(chain_cnn()).calls}
    assert calls["drop"].kwargs == {}
