"""Shared values stay shared: groups found, means imposed, a lost one named."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.bridge.shared_values import (
    SharedValues,
    check_shared,
    find_shared_values,
    share_values,
)
from pipeline.bridge.start import import_tf_keras
from pipeline.errors import PromiseError


def test_members_take_the_mean_of_their_group() -> None:
    import tensorflow as tf

    variable = tf.Variable([[1.0, 2.0], [3.0, 0.0], [5.0, 0.0]], name="kernel")
    kernel = SharedValues(variable, np.int32([[1, 2], [1, 0], [2, 0]]), 3)
    with pytest.raises(
        PromiseError, match=r"a: kernel:0 has 5 different values .* the 3 that .* b"
    ):
        check_shared("a", [kernel], "b")
    tf.function(share_values([kernel]))()
    assert variable.numpy().tolist() == [[2, 3.5], [2, 0], [3.5, 0]]
    check_shared("a", [kernel], "b")


def test_kernels_are_found_by_their_values() -> None:
    keras_2 = import_tf_keras()
    model = keras_2.Sequential(
        [keras_2.Input((2,)), keras_2.layers.Dense(2, name="a"), keras_2.layers.Dense(2, name="b")]
    )
    first, second = np.float32([[1, 1], [0, 2]]), np.float32([[1, 1], [0, 3]])
    model.get_layer("a").kernel.assign(first)
    model.get_layer("b").kernel.assign(second)
    found = find_shared_values(model, [second, first])
    assert found is not None
    assert [kernel.variable.name for kernel in found] == ["b/kernel:0", "a/kernel:0"]
    assert found[0].labels.tolist() == [[1, 1], [0, 2]] and found[0].groups == 3
    assert find_shared_values(model, [first, first]) is None, "one of them is there once only"
