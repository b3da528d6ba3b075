"""Several batches as one: the same gradient, the same figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.training.accumulation import accumulate, batches_of_updates


def test_the_last_update_takes_what_is_left() -> None:
    assert batches_of_updates(7, 3).tolist() == [3, 3, 1]
    assert batches_of_updates(6, 3).tolist() == [3, 3]
    assert batches_of_updates(2, 5).tolist() == [2]
    assert batches_of_updates(4, 1).tolist() == [1, 1, 1, 1]


@given(st.integers(1, 500), st.integers(1, 600))
def test_every_batch_is_taken_once(batches: int, accumulated: int) -> None:
    taken = batches_of_updates(batches, accumulated)
    assert taken.sum() == batches and taken.min() >= 1 and taken.max() <= accumulated
    assert len(taken) == -(-batches // accumulated) and taken.dtype == np.int32


@pytest.mark.parametrize("sizes", [[4, 4, 4], [5, 5, 2], [12]])
def test_gradient_and_figures_are_those_of_all_samples(sizes: list[int]) -> None:
    """d/dw of mean (w·x)² is w · mean(2x²), whatever the batches; w is also given no gradient."""
    import tensorflow as tf

    x = np.random.default_rng(0).normal(size=12).astype(np.float32)
    weight, other = tf.Variable(3.0), tf.Variable([1.0, 2.0])

    def differentiate(batch: Any) -> tuple[list[Any], Any]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((weight * batch) ** 2)
            objective = loss + 7.0
        count = tf.cast(tf.size(batch), tf.float32)
        figures = tf.stack([loss, objective, tf.reduce_sum(batch), count])
        return tape.gradient(objective, [weight, other]), figures

    @tf.function(autograph=False)
    def run(iterator: Any, count: Any) -> Any:
        return accumulate(differentiate, iterator.get_next, count, [weight, other])

    parts = np.split(x, np.cumsum(sizes)[:-1])
    ragged = tf.data.Dataset.from_generator(
        lambda: iter(parts), output_signature=tf.TensorSpec((None,), tf.float32)
    )
    gradients, figures = run(iter(ragged), tf.constant(len(sizes)))
    square = float(np.mean(x.astype(np.float64) ** 2))
    assert float(gradients[0]) == pytest.approx(6 * square, rel=1e-5)
    assert gradients[1].numpy().tolist() == [0, 0]
    expected = [9 * square, 9 * square + 7, float(x.sum()), 12]
    np.testing.assert_allclose(figures, expected, rtol=1e-5, atol=1e-5)
