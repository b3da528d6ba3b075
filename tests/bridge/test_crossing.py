"""Models of many topologies there and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.bridge.crossing import copy_weights_back, copy_weights_over, to_tf_keras, weight_pairs
from pipeline.errors import ConfigError, PromiseError
from tests.bridge.bridge_models import TOPOLOGIES, samples_for, several_inputs


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_weights_go_there_and_back(topology: str) -> None:
    import keras

    model = TOPOLOGIES[topology]()
    crossed = to_tf_keras(model)
    assert {layer.name for layer in crossed.layers} >= {
        layer.name for layer in model.layers if not isinstance(layer, keras.Model)
    }
    before = [weight.numpy() for weight in model.weights]
    for weight in crossed.weights:
        weight.assign(weight.numpy() + 1)
    copy_weights_back(crossed, model)
    for old, weight in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old + 1)
    samples = samples_for(model)
    given = samples if len(samples) > 1 else samples[0]
    expected, received = keras.tree.flatten(model(given)), keras.tree.flatten(crossed(given))
    for one, other in zip(expected, received, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-3, atol=1e-4)


def test_a_shared_layer_stays_shared() -> None:
    crossed = to_tf_keras(several_inputs())
    assert len(crossed.get_layer("shared").inbound_nodes) == 2
    assert len(weight_pairs(several_inputs(), crossed)) == len(crossed.weights)


def test_a_weight_of_two_layers_is_refused() -> None:
    """Both would be trained, and one of them lost on the way back."""
    import keras

    class Tied(keras.layers.Layer):
        def __init__(self, source: Any, **arguments: Any) -> None:
            super().__init__(**arguments)
            self.source = source

        def call(self, x: Any) -> Any:
            return x @ keras.ops.transpose(self.source.kernel)

    inputs, one = keras.Input((4,)), keras.layers.Dense(3, name="one")
    model = keras.Model(inputs, Tied(one, name="other")(one(inputs)))
    with pytest.raises(ConfigError, match=r"layers 'one' and 'other' share the weight .*kernel"):
        to_tf_keras(model)


def test_weights_are_matched_by_name_not_by_position() -> None:
    model = TOPOLOGIES["chain_cnn"]()
    names = [
        (source.path.split("/")[-1], target.name.split("/")[-1].split(":")[0])
        for source, target in weight_pairs(model, to_tf_keras(model))
    ]
    assert ("moving_variance", "moving_variance") in names
    assert all(a == b or (a, b) == ("kernel", "depthwise_kernel") for a, b in names)


def test_the_penalties_of_both_models_are_equal() -> None:
    model = TOPOLOGIES["chain_cnn"]()
    crossed = to_tf_keras(model)
    assert float(sum(crossed.losses)) == pytest.approx(float(sum(model.losses)), rel=1e-6)
    assert float(sum(crossed.losses)) > 0


def test_equal_seeds_give_equal_dropout_and_other_seeds_do_not() -> None:
    model = TOPOLOGIES["chain_cnn"]()
    x = samples_for(model)[0]

    def masks(seed: int) -> np.ndarray:
        return to_tf_keras(model, seed).get_layer("drop")(x, training=True).numpy()

    np.testing.assert_array_equal(masks(5), masks(5))
    assert not np.array_equal(masks(5), masks(6))


def test_a_weight_of_another_shape_is_refused() -> None:
    import keras

    def dense(units: int) -> keras.Model:
        inputs = keras.Input((4,))
        return keras.Model(inputs, keras.layers.Dense(units, name="d")(inputs))

    with pytest.raises(PromiseError, match=r"layer 'd': weight 'kernel' of shape \(4, 3\) has no"):
        copy_weights_over(dense(3), to_tf_keras(dense(2)))


def test_a_weight_too_many_is_refused() -> None:
    import keras

    def dense(use_bias: bool) -> keras.Model:
        inputs = keras.Input((4,))
        return keras.Model(inputs, keras.layers.Dense(3, use_bias=use_bias, name="d")(inputs))

    with pytest.raises(PromiseError, match=r"layer 'd': the tf_keras weights \['bias'\] have no"):
        copy_weights_over(dense(False), to_tf_keras(dense(True)))


def test_dropout_and_statistics_follow_the_models_training_argument() -> None:
    """keras 3.15.1 records training=False for Dropout; taken over, fine-tuning had no dropout."""
    model = TOPOLOGIES["chain_cnn"]()
    crossed = to_tf_keras(model)
    x, mean = samples_for(model)[0], crossed.get_layer("n1").moving_mean
    inference, before = crossed(x).numpy(), mean.numpy()
    np.testing.assert_array_equal(crossed(x, training=False).numpy(), inference)
    one, other = crossed(x, training=True).numpy(), crossed(x, training=True).numpy()
    assert not np.array_equal(one, other)
    assert not np.array_equal(mean.numpy(), before)
