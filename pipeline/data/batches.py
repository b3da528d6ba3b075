"""Batches for training and evaluation, in an order that depends on (seed, epoch) alone.

Resuming at epoch k needs no state of the input: epoch k's order is drawn anew from [seed, k].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import DataError

if TYPE_CHECKING:
    import tensorflow as tf

    from pipeline.data.prepared import Split

PREFETCHED_BATCHES = 8


def epoch_order(seed: int, epoch: int, n: int) -> np.ndarray:
    """Draws the order in which one epoch visits the samples.

    Args:
        seed: the run's seed, ≥ 0.
        epoch: counted from 0.
        n: number of samples.

    Returns:
        int64 (n,), a permutation of 0..n-1.
    """
    return np.random.default_rng([seed, epoch]).permutation(n)


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Returns ceil(n / batch_size): the last batch of an epoch may be smaller."""
    return -(-n // batch_size)


def training_batches(
    split: Split, batch_size: int, seed: int, first_epoch: int, last_epoch: int
) -> tf.data.Dataset:
    """Yields the batches of epochs first_epoch..last_epoch-1, back to back.

    The arrays are held once; a step gathers its rows. Batches never reach over the end of an
    epoch, so each epoch has steps_per_epoch(n, batch_size) of them.

    Args:
        split: n samples.
        batch_size: ≥ 1.
        seed: the run's seed, ≥ 0.
        first_epoch: the first epoch to yield, counted from 0.
        last_epoch: the epoch before which to stop.

    Returns:
        A dataset of (x float32 (b, *input_shape), y int64 (b,)) of known cardinality.
    """
    import tensorflow as tf

    n, steps = _count(split, batch_size)
    epochs = max(last_epoch - first_epoch, 0)
    x, y = tf.constant(split.x), tf.constant(split.y)

    def draw(epoch: int) -> np.ndarray:
        return epoch_order(seed, int(epoch), n)

    def index_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.ensure_shape(tf.numpy_function(draw, [epoch], tf.int64, stateful=False), (n,))
        starts = tf.data.Dataset.range(0, n, batch_size)
        return starts.map(lambda start: order[start : start + batch_size])

    def gather(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.gather(x, rows), tf.gather(y, rows)

    batches = tf.data.Dataset.range(first_epoch, first_epoch + epochs).flat_map(index_batches)
    batches = batches.map(gather).apply(tf.data.experimental.assert_cardinality(epochs * steps))
    return batches.prefetch(PREFETCHED_BATCHES)


def evaluation_batches(split: Split, batch_size: int) -> tf.data.Dataset:
    """Yields the samples once, in their order.

    Args:
        split: n samples.
        batch_size: ≥ 1; the last batch may be smaller.

    Returns:
        A dataset of (x float32 (b, *input_shape), y int64 (b,)) of known cardinality.
    """
    import tensorflow as tf

    n, _ = _count(split, batch_size)
    x, y = tf.constant(split.x), tf.constant(split.y)
    starts = tf.data.Dataset.range(0, n, batch_size)
    batches = starts.map(lambda i: (x[i : i + batch_size], y[i : i + batch_size]))
    return batches.prefetch(PREFETCHED_BATCHES)


def _count(split: Split, batch_size: int) -> tuple[int, int]:
    n = len(split)
    if n == 0:
        raise DataError("received a split without samples; batches need at least one")
    if batch_size < 1:
        raise ValueError(f"received batch_size {batch_size}; expected at least 1")
    return n, steps_per_epoch(n, batch_size)
