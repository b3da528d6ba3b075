"""Distances of features, by hand and beside Keras's own."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.runtime import start_tensorflow
from pipeline.tasks.feature_losses import feature_losses

start_tensorflow(0)


def test_mean_squared_difference_of_each_sample() -> None:
    student, teacher = np.float32([[1, 2], [0, 0]]), np.float32([[3, 2], [1, -3]])
    # (4 + 0) / 2 and (1 + 9) / 2.
    np.testing.assert_allclose(feature_losses("mse", student, teacher), [2, 5])


def test_cosine_is_over_the_channels_and_averaged_over_places() -> None:
    # Two places of two channels: the same direction, and a right angle; then opposite ones.
    student = np.float32([[[3, 4], [1, 0]], [[1, 0], [0, 2]]])
    teacher = np.float32([[[6, 8], [0, 5]], [[-2, 0], [0, -1]]])
    np.testing.assert_allclose(feature_losses("cosine", student, teacher), [0.5, 2], atol=1e-6)


def test_layers_without_any_activity_have_no_direction() -> None:
    zeros = np.zeros((1, 3), np.float32)
    np.testing.assert_allclose(feature_losses("cosine", zeros, np.ones((1, 3), np.float32)), [1])


@pytest.mark.parametrize(
    ("kind", "name", "more"), [("mse", "mse", 0), ("cosine", "cosine_similarity", 1)]
)
def test_the_mean_is_what_keras_gives(kind: str, name: str, more: int) -> None:
    import keras

    generator = np.random.default_rng(0)
    student, teacher = generator.normal(size=(2, 4, 3, 3, 5)).astype(np.float32)
    expected = keras.distillation.FeatureDistillation(loss=name).compute_loss(teacher, student)
    found = np.mean(feature_losses(kind, student, teacher))  # type: ignore[arg-type]
    assert found == pytest.approx(float(expected) + more, rel=1e-5)
