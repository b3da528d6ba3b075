"""Masks of zeros: which kernels have one, and what is said when a zero is lost."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.masks import check_masked, count_masked, mask_weights, zero_masks
from pipeline.errors import PromiseError


def test_a_lost_zero_breaks_the_promise() -> None:
    import tensorflow as tf

    variable = tf.Variable([[0.0, 1.0], [0.5, 0.0]], name="kernel")
    mask = np.array([[False, True], [False, False]])
    assert count_masked([(variable, mask)]) == 3
    with pytest.raises(PromiseError, match="a: 1 of 3 zeros of kernel:0 were lost in training; b"):
        check_masked("a", [(variable, mask)], "b")
    mask_weights([(variable, mask)])()
    check_masked("a", [(variable, mask)], "b")
    assert variable.numpy().tolist() == [[0, 1], [0, 0]]


def test_a_graph_holds_no_copy_of_a_mask() -> None:
    import tensorflow as tf

    variable = tf.Variable(tf.ones((50, 40)), name="kernel")
    impose = mask_weights([(variable, np.arange(2000).reshape(50, 40) % 2 == 0)])
    function = tf.function(impose).get_concrete_function()
    assert function.graph.as_graph_def().ByteSize() < 2000
    function()
    assert np.array_equal(variable.numpy().reshape(-1), np.arange(2000) % 2 == 0)


def test_kernels_are_masked_and_slopes_are_not() -> None:
    import keras

    inputs = keras.Input((2,), name="x")
    x = keras.layers.Dense(2, name="alpha_head")(inputs)
    model = keras.Model(inputs, keras.layers.PReLU(name="slopes")(x))
    model.get_layer("alpha_head").set_weights([np.array([[0, 1], [2, 0]]), np.zeros(2)])
    ((_, mask),) = zero_masks(to_tf_keras(model))
    assert mask.tolist() == [[False, True], [True, False]]


def test_fresh_biases_of_attention_are_not_masked_though_they_have_two_axes() -> None:
    import keras

    inputs = keras.Input((5, 4))
    model = keras.Model(inputs, keras.layers.MultiHeadAttention(2, 3)(inputs, inputs))
    assert any(w.ndim == 2 and not np.any(w.numpy()) for w in model.weights)
    assert zero_masks(to_tf_keras(model)) == []
