"""Activations cross by meaning, not by name."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.bridge.activations import (
    KERAS_3_ACTIVATIONS,
    SAME_ACTIVATIONS,
    activation_objects,
    carry_activation,
)
from pipeline.bridge.layers_table import NoCounterpart
from pipeline.bridge.start import import_tf_keras

X = np.linspace(-6, 6, 49, dtype=np.float32).reshape(7, 7)


@pytest.mark.parametrize("name", [*SAME_ACTIVATIONS, *KERAS_3_ACTIVATIONS])
def test_both_compute_the_same(name: str) -> None:
    import keras
    import tensorflow as tf

    crossed = import_tf_keras().activations.get(carry_activation(keras.activations.get(name)))
    expected = np.asarray(keras.activations.get(name)(X))
    np.testing.assert_allclose(np.asarray(crossed(tf.constant(X))), expected, atol=1e-6)


def test_every_one_layer_deep_activation_of_keras_is_in_the_tables() -> None:
    import keras

    others = {"deserialize", "get", "serialize", "glu", "sparse_plus", "sparse_sigmoid",
              "sparsemax", "threshold"}  # fmt: skip
    names = {name for name in dir(keras.activations) if not name.startswith("_")}
    assert names - others == {*SAME_ACTIVATIONS, *KERAS_3_ACTIVATIONS}


def test_hard_sigmoid_still_means_two_things() -> None:
    """Fails the day tf_keras's hard_sigmoid is Keras 3's: then it may cross by name."""
    import keras
    import tensorflow as tf

    theirs = import_tf_keras().activations.hard_sigmoid(tf.constant(X))
    assert not np.allclose(theirs, keras.activations.hard_sigmoid(X), atol=1e-3)


def test_custom_objects_find_the_functions_again() -> None:
    tf_keras = import_tf_keras()
    with tf_keras.utils.custom_object_scope(activation_objects()):
        found = tf_keras.activations.get("keras_3_hard_silu")
    np.testing.assert_allclose(found(np.float32([3.0, -3.0])), [3.0, 0.0])


def relu(x: object) -> object:
    """A function of the user's own, whose name does not make it Keras's."""
    return x


def test_an_unknown_activation_has_no_counterpart() -> None:
    import keras

    for function in (relu, keras.activations.glu, keras.layers.ReLU()):
        with pytest.raises(NoCounterpart, match=r"activation (relu|glu|ReLU) is not among Keras's"):
            carry_activation(function)


def test_none_stays_none() -> None:
    assert carry_activation(None) is None
