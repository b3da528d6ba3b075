"""Zeros are counted in kernels alone."""

from __future__ import annotations

import numpy as np

from pipeline.models.kernels import count_kernel_zeros
from pipeline.runtime import import_tensorflow


def test_biases_and_statistics_are_left_out() -> None:
    import_tensorflow()
    import keras

    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(2, name="a"),
            keras.layers.BatchNormalization(name="b"),
        ]
    )
    model.get_layer("a").set_weights([np.array([[1, 0], [0, 2], [3, 0]]), np.zeros(2)])
    counts = count_kernel_zeros(model)
    assert [(count.parameters, count.zeros) for count in counts] == [(6, 3)]
    assert counts[0].name.endswith("a/kernel")
