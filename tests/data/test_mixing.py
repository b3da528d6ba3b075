from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.data.draws import step_seed
from pipeline.data.mixing import beta_draws, class_weights, mix_up, soft_answers
from pipeline.errors import ConfigError
from pipeline.runtime import start_tensorflow
from pipeline.tasks.task import Task, classification

CLASSES = classification(("a", "b", "c", "d"))
BINARY = Task("binary", 1, ("no", "yes"))
LABELS = Task("multi_label", 2, ("u", "v"))


@pytest.fixture(scope="module", autouse=True)
def _deterministic() -> None:
    start_tensorflow(0)


def seed(step: int = 0) -> Any:
    import tensorflow as tf

    return step_seed(0, tf.constant(0, tf.int64), tf.constant(step, tf.int64))


def test_label_smoothing_by_hand() -> None:
    soft = soft_answers(CLASSES, np.array([2, 0]), 0.2).numpy()
    np.testing.assert_allclose(soft, [[0.05, 0.05, 0.85, 0.05], [0.85, 0.05, 0.05, 0.05]])
    np.testing.assert_allclose(soft_answers(BINARY, np.array([0, 1]), 0.2), [0.1, 0.9])
    labels = np.array([[0, 1], [1, 1]], np.float32)
    np.testing.assert_allclose(soft_answers(LABELS, labels, 0.5), [[0.25, 0.75], [0.75, 0.75]])


def test_no_smoothing_is_one_hot() -> None:
    assert soft_answers(CLASSES, np.array([1]), 0.0).numpy().tolist() == [[0, 1, 0, 0]]


def test_samples_answers_and_weights_are_mixed_alike_with_the_neighbour() -> None:
    x = np.array([[[0.0]], [[10.0]], [[20.0]]], np.float32)
    y = np.eye(3, dtype=np.float32)
    w = np.array([1.0, 2.0, 4.0], np.float32)
    share = beta_draws(w, 0.7, seed()).numpy()
    mixed_x, mixed_y, mixed_w = (part.numpy() for part in mix_up(_tensors(x, y, w), 0.7, seed()))
    other = [2, 0, 1]
    np.testing.assert_allclose(mixed_x[:, 0, 0], share * [0, 10, 20] + (1 - share) * [20, 0, 10])
    np.testing.assert_allclose(mixed_y, share[:, None] * y + (1 - share[:, None]) * y[other])
    np.testing.assert_allclose(mixed_w, share * w + (1 - share) * w[other])
    np.testing.assert_allclose(mixed_y.sum(axis=1), 1.0, rtol=1e-6)


def _tensors(*arrays: np.ndarray) -> Any:
    import tensorflow as tf

    return tuple(tf.constant(array) for array in arrays)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_are_beta_distributed(alpha: float) -> None:
    share = beta_draws(np.zeros(4000, np.float32), alpha, seed()).numpy().astype(np.float64)
    assert share.min() >= 0 and share.max() <= 1
    assert abs(share.mean() - 0.5) < 0.03
    assert abs(share.var() - 1 / (4 * (2 * alpha + 1))) < 0.01  # variance of Beta(α, α)


def test_tiny_alpha_gives_no_nan() -> None:
    share = beta_draws(np.zeros(2000, np.float32), 1e-4, seed()).numpy()
    assert np.isfinite(share).all() and set(np.round(share).tolist()) == {0.0, 1.0}


def test_shares_depend_on_the_step() -> None:
    zeros = np.zeros(4, np.float32)
    first, again, later = (beta_draws(zeros, 0.4, seed(s)).numpy().tolist() for s in (0, 0, 1))
    assert first == again and first != later


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    weights = pytest.importorskip("sklearn.utils.class_weight")
    y = np.array([0] * 6 + [1] * 3 + [2] + [3] * 2)
    expected = weights.compute_class_weight("balanced", classes=np.arange(4), y=y)
    found = class_weights(CLASSES, y, "balanced")
    np.testing.assert_allclose(found, expected)
    assert found.tolist() == [0.5, 1.0, 3.0, 1.5]  # 12 / (4 · n_c)
    assert found[y].mean() == 1.0


def test_a_class_without_samples_weighs_nothing() -> None:
    assert class_weights(CLASSES, np.array([0, 0, 0, 2]), "balanced").tolist() == [
        np.float32(4 / 6), 0, 2, 0
    ]  # fmt: skip


def test_weights_by_name() -> None:
    assert class_weights(BINARY, np.array([0]), {"yes": 2.5}).tolist() == [1.0, 2.5]
    with pytest.raises(ConfigError, match="class_weights: there is no class 'yess'; did you mean"):
        class_weights(BINARY, np.array([0]), {"yess": 2.0})
