"""Loss and accuracy against hand-computed values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.data.prepared import PreparedData, Split
from pipeline.tasks.task import classification
from pipeline.training.evaluate import evaluate_model

TWO = classification(("a", "b"))


def test_identity_model_by_hand() -> None:
    import keras

    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
    x = np.array([[0, 0], [0, math.log(3)], [math.log(3), 0]], np.float32)
    figures = evaluate_model(model, Split(x, np.array([0, 1, 1])), TWO, batch_size=2)
    # probabilities of the labels: 1/2, 3/4, 1/4
    assert figures["loss"] == pytest.approx(-math.log(0.5 * 0.75 * 0.25) / 3, rel=1e-6)
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["samples"] == 3


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_the_batch_size_changes_nothing(
    build: Callable[..., Any], data: PreparedData, batch_size: int
) -> None:
    model = build(penalty=1.0)
    figures = evaluate_model(model, data.train, data.task, batch_size)
    logits = np.asarray(model(data.train.x, training=False), np.float64)
    log_sum = np.log(np.exp(logits).sum(axis=1))
    expected = float(np.mean(log_sum - logits[np.arange(100), data.train.y]))
    assert figures["loss"] == pytest.approx(expected, rel=1e-5)
    assert figures["accuracy"] == np.mean(logits.argmax(axis=1) == data.train.y)
