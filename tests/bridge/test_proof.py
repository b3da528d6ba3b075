"""The proof accepts right crossings, names the layer of a wrong one, and knows when it is blind."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.proof import (
    CrossingProof,
    prove_crossing,
    relative_difference,
    swap_two_filters,
)
from pipeline.errors import PromiseError
from tests.bridge.bridge_models import TOPOLOGIES, chain_cnn, residual, samples_for


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_right_crossing_is_proved_and_leaves_both_models_unchanged(topology: str) -> None:
    model = TOPOLOGIES[topology]()
    crossed = to_tf_keras(model)
    before = [v.numpy() for v in [*model.variables, *crossed.variables]]
    proof = prove_crossing(model, crossed, samples_for(model))
    assert proof.layers >= 4
    assert proof.max_relative_difference < 1e-4
    for old, variable in zip(before, [*model.variables, *crossed.variables], strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)


@pytest.mark.parametrize("layer", ["stem", "main", "shortcut", "logits"])
def test_two_swapped_filters_fail_and_the_layer_is_named(layer: str) -> None:
    model = residual()
    crossed = to_tf_keras(model)
    assert swap_two_filters(crossed.get_layer(layer))
    with pytest.raises(PromiseError, match=rf"layer '{layer}' \(\w+\) differs in tf_keras by"):
        prove_crossing(model, crossed, samples_for(model))


def test_swapped_depthwise_filters_fail() -> None:
    model = chain_cnn()
    crossed = to_tf_keras(model)
    assert swap_two_filters(crossed.get_layer("d1"))
    with pytest.raises(PromiseError, match="layer 'd1'"):
        prove_crossing(model, crossed, samples_for(model))


def test_a_wrong_epsilon_fails() -> None:
    model = residual()
    crossed = to_tf_keras(model)
    crossed.get_layer("norm").epsilon = 0.1
    with pytest.raises(PromiseError, match="layer 'norm'"):
        prove_crossing(model, crossed, samples_for(model))


def test_fresh_statistics_would_hide_a_wrong_layer_without_the_training_pass() -> None:
    """Why statistics are set: at a scale of 1e-6 the wrong epsilon hardly shows without it."""
    model = residual()
    crossed = to_tf_keras(model)
    x = samples_for(model)[0] * 1e-6
    crossed.get_layer("norm").epsilon = 1e-3 + 1e-8
    naive = relative_difference(np.asarray(model(x)), crossed(x).numpy())
    assert naive < 1e-4


def test_outputs_that_do_not_depend_on_the_samples_prove_nothing() -> None:
    model = residual()
    kernel = model.get_layer("logits").kernel
    kernel.assign(np.zeros(kernel.shape))
    with pytest.raises(PromiseError, match="same for every sample, so comparing them proves"):
        prove_crossing(model, to_tf_keras(model), samples_for(model))


def test_a_control_that_does_not_fail_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    model = residual()
    monkeypatch.setattr("pipeline.bridge.proof.swap_two_filters", lambda layer: True)
    with pytest.raises(PromiseError, match=r"two swapped filters in each of .* unchanged"):
        prove_crossing(model, to_tf_keras(model), samples_for(model))


def test_one_sample_is_too_few() -> None:
    model = residual()
    with pytest.raises(PromiseError, match="cannot be proved on 1 sample"):
        prove_crossing(model, to_tf_keras(model), samples_for(model, 1))


def test_relative_difference_by_hand() -> None:
    expected = np.array([[0.0, 0.0], [2.0, 4.0]])  # standard deviations 1 and 2
    received = expected + np.array([[0.0, 0.0], [0.0, 0.5]])
    assert relative_difference(expected, received) == pytest.approx(0.5 / np.sqrt(2.5))
    constant = np.full((2, 1), 4.0)
    assert relative_difference(constant, constant + 1) == pytest.approx(0.25)
    assert relative_difference(np.zeros((2, 1)), np.zeros((2, 1))) == 0
    assert relative_difference(expected, received[:, :1]) == float("inf")
    assert relative_difference(expected, expected * np.nan) == float("inf")


def test_swapping_takes_the_two_filters_that_differ_most() -> None:
    from pipeline.bridge.start import import_tf_keras

    layer = import_tf_keras().layers.Dense(3)
    layer.build((None, 2))
    layer.kernel.assign([[1, 2, 9], [1, 1, 1]])
    assert swap_two_filters(layer)
    assert layer.kernel.numpy().tolist() == [[9, 2, 1], [1, 1, 1]]
    layer.kernel.assign([[1, 1, 1], [2, 2, 2]])
    assert not swap_two_filters(layer)


def test_metrics_are_those_of_the_manifest() -> None:
    assert CrossingProof(3, 0.5).metrics() == {"layers": 3, "max_relative_difference": 0.5}
