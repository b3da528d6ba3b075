"""Answers in batches are the answers."""

from __future__ import annotations

import numpy as np

from pipeline.models.predict import predict_outputs
from pipeline.runtime import import_tensorflow


def test_a_linear_model_by_hand_with_a_last_partial_batch() -> None:
    import_tensorflow()
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1), keras.layers.Dropout(0.5)])
    model.layers[0].set_weights([np.array([[2.0], [3.0]]), np.array([1.0])])
    x = np.array([[1, 1], [0, 2], [5, 0]], np.float32)
    assert predict_outputs(model, x, batch_size=2).tolist() == [[6.0], [7.0], [11.0]]
