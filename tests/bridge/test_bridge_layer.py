"""Layers that tf_keras lacks run as themselves: same results, own weights, masks, randomness."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.bridge.bridge_layer import LayerSpec, is_bridge_layer, named_weights
from pipeline.bridge.crossing import (
    bridge_objects,
    copy_weights_back,
    to_tf_keras,
    weight_pairs,
)
from pipeline.bridge.proof import prove_crossing, swap_two_filters
from pipeline.bridge.start import import_tf_keras
from pipeline.bridge.state import random_states
from pipeline.errors import ConfigError, PromiseError
from tests.bridge.own_layers import Block, Branches, Subclassed

LINE = (12, 4)


def model_of(body: Callable[[Any, Any], Any], shape: tuple[int, ...] = LINE, **options: Any) -> Any:
    """Returns a model that hands its input and keras.layers to `body`."""
    import keras

    inputs = keras.Input(shape, **options)
    return keras.Model(inputs, body(keras.layers, inputs))


def samples_of(model: Any) -> np.ndarray:
    (entry,) = model.inputs
    rng = np.random.default_rng(1)
    if entry.dtype == "int32":
        return rng.integers(0, 9, (16, *entry.shape[1:])).astype(np.int32)
    return rng.normal(size=(16, *entry.shape[1:])).astype(np.float32)


def embedded(k: Any, x: Any) -> Any:
    return k.Embedding(9, 4, mask_zero=True)(x)


IDS = {"shape": (6,), "dtype": "int32"}
# name → (body, options of the input)
CASES: dict[str, tuple[Callable[[Any, Any], Any], dict[str, Any]]] = {
    "own": (lambda k, x: k.Dense(3)(Block(5)(x)), {}),
    "subclassed_model": (lambda k, x: k.Dense(3)(Subclassed()(x)), {}),
    "several_outputs": (lambda k, x: Branches()(x), {}),
    "shared_with_other_arguments": (
        lambda k, x: (a := k.Attention(use_scale=True))([x, k.Dense(4)(x)])
        + a([x, x], use_causal_mask=True),
        {},
    ),
    "attention": (lambda k, x: k.MultiHeadAttention(2, 3, dropout=0.2)(x, x), {}),
    "attention_scores": (
        lambda k, x: list(k.MultiHeadAttention(2, 3)(x, x, return_attention_scores=True)), {},
    ),
    "mask_into_attention": (
        lambda k, x: k.MultiHeadAttention(2, 3)(e := embedded(k, x), e, use_causal_mask=True), IDS,
    ),
    "einsum_dense": (
        lambda k, x: k.EinsumDense("abc,cd->abd", output_shape=(None, 3), bias_axes="d")(x), {},
    ),
    "grouped_query_attention": (lambda k, x: k.GroupQueryAttention(4, 2, 1)(x, x), {}),
    "time_distributed_statistics": (
        lambda k, x: k.TimeDistributed(k.BatchNormalization())(x), {},
    ),
    "attention_masks_as_arguments": (
        lambda k, x: k.MultiHeadAttention(2, 3)(x, x, query_mask=x[:, :, 0] > 0), {},
    ),
    "spectral": (lambda k, x: k.SpectralNormalization(k.Dense(3))(x), {}),
    "conv_lstm": (lambda k, x: k.ConvLSTM1D(3, 2)(x), {"shape": (4, 6, 2)}),
    "lambda": (lambda k, x: k.Dense(2)(k.Lambda(lambda t: 2 * t)(x)), {}),
    "augmentation": (
        lambda k, x: k.Conv2D(2, 3)(k.RandomRotation(0.1)(k.RandomFlip()(x))), {"shape": (8, 8, 2)},
    ),
    "own_activation": (lambda k, x: k.Conv1D(3, 3, activation=lambda t: t * abs(t))(x), {}),
    "mask_into_itself": (
        lambda k, x: k.LSTM(3, activity_regularizer="l2")(embedded(k, x)), IDS,
    ),
    "mask_through_itself": (lambda k, x: k.LSTM(3)(k.RMSNormalization()(embedded(k, x))), IDS),
    "mask_through_identity": (lambda k, x: k.LSTM(3)(k.Identity()(embedded(k, x))), IDS),
    "mask_dropped_by_an_operation": (lambda k, x: k.LSTM(3)((e := embedded(k, x)) * e), IDS),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_layer_that_tf_keras_lacks_crosses(case: str) -> None:
    body, options = CASES[case]
    model = model_of(body, **options)
    crossed = to_tf_keras(model)
    before = [variable.numpy() for variable in model.variables]
    assert prove_crossing(model, crossed, samples_of(model)).max_relative_difference < 1e-5
    for old, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)
    for weight in crossed.weights:
        weight.assign(weight + 1)
    copy_weights_back(crossed, model)
    for source, target in weight_pairs(model, crossed):
        np.testing.assert_array_equal(source.numpy(), target.numpy())


@pytest.fixture
def own() -> tuple[Any, Any]:
    model = model_of(lambda k, x: k.Dense(3)(Block(5, name="block")(x)))
    return model, to_tf_keras(model, 7)


def test_tf_keras_trains_the_weights_and_not_the_users_layer(own: tuple[Any, Any]) -> None:
    import tensorflow as tf

    model, crossed = own
    layer = crossed.get_layer("block")
    assert layer.spec.reason == "no tf_keras layer stands for tests.bridge.own_layers.Block"
    names = [weight.name.split(":")[0] for weight in layer.trainable_weights]
    assert len(set(names)) == 6
    before = [variable.numpy() for variable in model.variables]
    mean = layer.own["norm.moving_mean"].numpy()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(crossed(samples_of(model), training=True) ** 2)
    assert all(g is not None for g in tape.gradient(loss, crossed.trainable_variables))
    assert not np.array_equal(layer.own["norm.moving_mean"].numpy(), mean)
    for old, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)


def test_losses_are_those_of_keras_3(own: tuple[Any, Any]) -> None:
    model, crossed = own
    x = samples_of(model)
    model(x, training=False)
    expected = sorted(map(float, model.losses))  # of the block's output, of its first kernel
    crossed(x, training=False)
    assert len(expected) == 2 and expected[0] > 0
    assert sorted(map(float, crossed.losses)) == pytest.approx(expected, rel=1e-5)


def test_a_frozen_part_stays_frozen() -> None:
    block = Block(5, name="block")
    model = model_of(lambda k, x: k.Dense(3)(block(x)))
    block.first.trainable = False
    layer = to_tf_keras(model).get_layer("block")
    assert len(layer.trainable_weights) == 4
    block.trainable = False
    assert not to_tf_keras(model).get_layer("block").trainable_weights


def test_what_is_drawn_comes_from_the_seed_and_its_state_is_kept(own: tuple[Any, Any]) -> None:
    model, crossed = own
    x = samples_of(model)
    states = random_states(crossed)
    saved = [state.numpy() for state in states]
    assert len(states) == 2  # of the dropout, of what is drawn without a seed
    first = crossed(x, training=True).numpy()
    assert not np.array_equal(first, crossed(x, training=True).numpy())
    for state, value in zip(states, saved, strict=True):
        state.assign(value)
    np.testing.assert_array_equal(crossed(x, training=True).numpy(), first)
    np.testing.assert_array_equal(to_tf_keras(model, 7)(x, training=True).numpy(), first)
    assert not np.array_equal(to_tf_keras(model, 8)(x, training=True).numpy(), first)


def test_a_clone_has_its_own_weights_and_the_same_seed(own: tuple[Any, Any]) -> None:
    model, crossed = own
    tf_keras = import_tf_keras()
    with tf_keras.utils.custom_object_scope(bridge_objects()):
        clone = tf_keras.models.clone_model(crossed)
    clone.set_weights(crossed.get_weights())
    x = samples_of(model)
    np.testing.assert_array_equal(clone(x).numpy(), crossed(x).numpy())
    layer, other = crossed.get_layer("block"), clone.get_layer("block")
    assert is_bridge_layer(other) and other.seed == layer.seed and other.spec is layer.spec
    assert all(a is not b for a, b in zip(layer.weights, other.weights, strict=True))


def test_a_shared_layer_is_one_layer_with_the_arguments_of_each_call() -> None:
    model = model_of(*CASES["shared_with_other_arguments"][:1])
    crossed = to_tf_keras(model)
    tf_keras = import_tf_keras()
    clone = tf_keras.models.clone_model(crossed)
    clone.set_weights(crossed.get_weights())
    x = samples_of(model)
    np.testing.assert_allclose(clone(x).numpy(), np.asarray(model(x)), atol=1e-6)
    assert sum(map(is_bridge_layer, clone.layers)) == 1


def test_augmentation_acts_in_training_only() -> None:
    model = model_of(lambda k, x: k.RandomFlip()(x), (8, 8, 2))
    crossed, x = to_tf_keras(model), samples_of(model)
    np.testing.assert_array_equal(crossed(x, training=False).numpy(), x)
    assert not np.array_equal(crossed(x, training=True).numpy(), x)


def test_a_wrong_weight_is_found_and_the_layer_named(own: tuple[Any, Any]) -> None:
    model, _ = own
    crossed = to_tf_keras(model)
    assert swap_two_filters(crossed.get_layer("block"))
    with pytest.raises(PromiseError, match=r"layer 'block' \(Block\) differs in tf_keras"):
        prove_crossing(model, crossed, samples_of(model))


def test_weights_of_one_name_are_told_apart() -> None:
    layer = Branches()
    model_of(lambda k, x: layer(x))
    assert list(named_weights(layer)) == [
        "twin.kernel",
        "twin.bias",
        "twin.kernel~1",
        "twin.bias~1",
    ]


def test_a_layer_that_does_not_run_on_tensors_is_refused_by_name() -> None:
    import keras

    class Listed(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x.tolist()

        def compute_output_spec(self, x: Any) -> Any:
            return keras.KerasTensor(x.shape)

    model = model_of(lambda k, x: Listed(name="listed")(x))
    with pytest.raises(ConfigError, match=r"layer 'listed' \(Listed\) does not run on TensorFlow"):
        to_tf_keras(model)


def test_a_spec_is_copied_as_itself() -> None:
    spec = LayerSpec(object(), "", {}, ())
    assert copy.deepcopy({"spec": spec})["spec"] is spec
