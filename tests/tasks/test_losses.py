from __future__ import annotations

import numpy as np
import pytest

from pipeline.runtime import start_tensorflow
from pipeline.tasks.losses import losses, scores
from pipeline.tasks.task import classification
from tests.tasks.answers import CASES

start_tensorflow(0)


@pytest.mark.parametrize("name", CASES)
def test_loss_and_score_of_each_sample_by_hand(name: str) -> None:
    import tensorflow as tf

    task, outputs, y, expected_losses, expected_scores = CASES[name]
    got = losses(task, tf.constant(outputs), tf.constant(y))
    assert got.dtype == tf.float32
    np.testing.assert_allclose(got, expected_losses, rtol=1e-6)
    np.testing.assert_allclose(scores(task, tf.constant(outputs), tf.constant(y)), expected_scores)


def test_soft_targets_of_a_classification() -> None:
    import tensorflow as tf

    task, outputs, y, expected, _ = CASES["classification"]
    hard = tf.one_hot(y, 2)
    np.testing.assert_allclose(losses(task, tf.constant(outputs), hard), expected, rtol=1e-6)
    # Half of the one class, half of the other: the mean of both losses.
    soft = tf.fill((2, 2), 0.5)
    mean = -(np.log(0.75) + np.log(0.25)) / 2
    np.testing.assert_allclose(losses(task, tf.constant(outputs), soft), [mean] * 2, rtol=1e-6)
    np.testing.assert_array_equal(scores(task, tf.constant(outputs), hard), [1.0, 0.0])


def test_half_precision_outputs_are_judged_in_float32() -> None:
    import tensorflow as tf

    outputs = tf.constant([[0.0, 20.0]], tf.bfloat16)
    loss = losses(classification(("a", "b")), outputs, tf.constant([0]))
    assert float(loss[0]) == pytest.approx(20.0, abs=1e-6)
