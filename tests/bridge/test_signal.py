"""Real signal through a graph: the statistics that it sets for a while, and what it returns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.graph import Graph, Ref, walk
from pipeline.bridge.signal import real_signal
from tests.bridge.bridge_models import TOPOLOGIES, chain_cnn, samples_for, several_inputs

X = np.float32([[0, 1], [2, 5]])  # means 1 and 3, variances 1 and 4


def normalized() -> Any:
    """BatchNormalization, a Dense that doubles, and BatchNormalization again."""
    import keras

    layers = keras.layers
    double = keras.initializers.Identity(2.0)
    x = inputs = keras.Input((2,), name="features")
    x = layers.BatchNormalization(epsilon=0.25, name="first")(x)
    x = layers.Dense(2, kernel_initializer=double, name="double")(x)
    x = layers.BatchNormalization(epsilon=0.25, name="second")(x)
    return keras.Model(inputs, x, name="normalized")


def statistics(layer: Any) -> list[list[float]]:
    return [layer.moving_mean.numpy().tolist(), layer.moving_variance.numpy().tolist()]


def output_of(graph: Graph, name: str) -> Ref:
    return next(call.outputs[0] for call in graph.calls if call.name == name)


def test_fresh_statistics_become_those_of_the_signal_and_are_put_back() -> None:
    model = normalized()
    crossed, graph = to_tf_keras(model), walk(model)
    # (x - mean) / sqrt(variance + 0.25), then doubled: variances 4 · 1/1.25 and 4 · 4/4.25.
    first = np.float32([[-1, -2], [1, 2]]) / np.sqrt([1.25, 4.25])
    variances = [4 / 1.25, 16 / 4.25]
    with real_signal(graph, model, crossed, [X]) as values:
        for both in (model, crossed):
            assert statistics(both.get_layer("first")) == [[1, 3], [1, 4]]
            means, found = statistics(both.get_layer("second"))
            assert means == pytest.approx([0, 0], abs=1e-6)
            assert found == pytest.approx(variances, rel=1e-5)
    np.testing.assert_allclose(values[output_of(graph, "first")], first, rtol=1e-5)
    np.testing.assert_allclose(values[output_of(graph, "double")], 2 * first, rtol=1e-5)
    second = 2 * first / np.sqrt(np.array(variances) + 0.25)
    np.testing.assert_allclose(values[output_of(graph, "second")], second, rtol=1e-5)
    np.testing.assert_array_equal(values[0], values[output_of(graph, "second")])
    for both in (model, crossed):
        for name in ("first", "second"):
            assert statistics(both.get_layer(name)) == [[0, 0], [1, 1]]


def test_an_error_in_between_puts_them_back_too() -> None:
    model = normalized()
    crossed = to_tf_keras(model)
    before = [v.numpy() for v in [*model.variables, *crossed.variables]]
    with (
        pytest.raises(RuntimeError, match="in between"),
        real_signal(walk(model), model, crossed, [X]),
    ):
        raise RuntimeError("in between")
    for old, variable in zip(before, [*model.variables, *crossed.variables], strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)


def test_an_error_on_the_way_puts_them_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    model = normalized()
    crossed = to_tf_keras(model)
    layer = type(model.get_layer("double"))

    def fail(*arguments: object, training: bool) -> None:
        raise RuntimeError("on the way")

    graph = walk(model)
    monkeypatch.setattr(layer, "call", fail)
    with (
        pytest.raises(RuntimeError, match="on the way"),
        real_signal(graph, model, crossed, [X]),
    ):
        pass
    for both in (model, crossed):
        assert statistics(both.get_layer("first")) == [[0, 0], [1, 1]]


def test_trained_statistics_are_used_as_they_are() -> None:
    model = normalized()
    model.get_layer("first").moving_mean.assign([10, 20])
    crossed, graph = to_tf_keras(model), walk(model)
    with real_signal(graph, model, crossed, [X]) as values:
        assert statistics(model.get_layer("first")) == [[10, 20], [1, 1]]
        assert statistics(crossed.get_layer("first")) == [[10, 20], [1, 1]]
    expected = (X - [10, 20]) / np.sqrt(1.25)
    np.testing.assert_allclose(values[output_of(graph, "first")], expected, rtol=1e-5)


def test_statistics_are_those_of_the_normalized_axis() -> None:
    import keras

    inputs = keras.Input((2, 3), name="features")
    layer = keras.layers.BatchNormalization(axis=1, name="norm")
    model = keras.Model(inputs, layer(inputs))
    x = np.arange(12, dtype=np.float32).reshape(2, 2, 3)  # rows 0 1 2, 6 7 8 | 3 4 5, 9 10 11
    with real_signal(walk(model), model, to_tf_keras(model), [x]):
        assert statistics(layer)[0] == [4, 7]
        assert statistics(layer)[1] == pytest.approx([29 / 3, 29 / 3])


def test_dropout_lets_the_signal_through() -> None:
    model = chain_cnn()
    graph = walk(model)
    with real_signal(graph, model, to_tf_keras(model), samples_for(model)) as values:
        before, after = values[output_of(graph, "c2")], values[output_of(graph, "drop")]
    np.testing.assert_array_equal(before, after)


def test_several_inputs_and_outputs() -> None:
    model = several_inputs()
    graph, samples = walk(model), samples_for(model)
    with real_signal(graph, model, to_tf_keras(model), samples) as values:
        pass
    assert values[0].shape == (24, 3) and values[1].shape == (24, 1)
    for number, name in enumerate(("logits", "s")):
        np.testing.assert_allclose(values[number], values[output_of(graph, name)], rtol=1e-5)
    left, right = (call.outputs[0] for call in graph.calls if call.name == "shared")
    kernel, bias = (weight.numpy() for weight in model.get_layer("shared").weights)
    for ref, x in zip((left, right), samples, strict=True):
        np.testing.assert_allclose(values[ref], np.tanh(x @ kernel + bias), atol=1e-5)


@pytest.mark.parametrize("topology", ["operators", "nested"])
def test_every_tensor_is_there(topology: str) -> None:
    model = TOPOLOGIES[topology]()
    graph = walk(model)
    with real_signal(graph, model, to_tf_keras(model), samples_for(model)) as values:
        pass
    assert set(values) == {*graph.shapes, 0}
    assert all(values[ref].shape[1:] == shape[1:] for ref, shape in graph.shapes.items())


def test_a_layer_called_by_keyword_gets_its_statistics_too() -> None:
    import keras

    from pipeline.bridge.proof import prove_crossing

    inputs = keras.Input((3,), name="x")
    x = keras.layers.BatchNormalization(name="n")(inputs=inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, name="logits")(inputs=x))
    samples = np.random.default_rng(0).normal(3, 2, (32, 3)).astype(np.float32)
    assert prove_crossing(model, to_tf_keras(model), samples).max_relative_difference < 1e-4
