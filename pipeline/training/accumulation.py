"""Gradient accumulation: several batches make one update, as one batch of all their samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

# A batch → the gradients of its objective, and float32 (4,): mean loss, objective, sum of the
# metric over the samples, number of samples.
Differentiate = Callable[[Any], tuple[list[Any], Any]]


def batches_of_updates(batches: int, accumulated: int) -> np.ndarray:
    """Tells how many batches each update of an epoch takes.

    Args:
        batches: in an epoch, 1 or more.
        accumulated: batches to an update, 1 or more; the last update takes what is left.

    Returns:
        int32 (ceil(batches / accumulated),).
    """
    starts = np.arange(0, batches, accumulated)
    return np.minimum(accumulated, batches - starts).astype(np.int32)


def accumulate(
    differentiate: Differentiate, next_batch: Callable[[], Any], count: tf.Tensor,
    weights: Sequence[tf.Variable],
) -> tuple[list[tf.Tensor], tf.Tensor]:  # fmt: skip
    """Differentiates `count` batches and returns what one batch of all their samples would give.

    Each batch counts by its samples, so a smaller last one does not weigh too much. Keras's own
    gradient_accumulation_steps (3.15.1) gives each batch the same weight and lets an update
    reach over the end of an epoch; tf_keras has none. BatchNormalization still sees each batch
    by itself.

    Args:
        differentiate: runs one batch.
        next_batch: takes a batch from the input.
        count: int32 scalar, 1 or more.
        weights: what the gradients belong to.

    Returns:
        Gradients (dense) and figures as `differentiate` returns them, of all samples together.
    """
    import tensorflow as tf

    def body(done: tf.Tensor, sums: list[tf.Tensor], figures: tf.Tensor) -> tuple[Any, ...]:
        gradients, found = differentiate(next_batch())
        samples = found[3]
        more = [
            total if gradient is None else total + samples * tf.convert_to_tensor(gradient)
            for total, gradient in zip(sums, gradients, strict=True)
        ]
        return done + 1, more, figures + found * tf.stack([samples, samples, 1.0, 1.0])

    start = (tf.constant(0), [tf.zeros_like(weight) for weight in weights], tf.zeros(4))
    _, sums, figures = tf.while_loop(lambda done, *_: done < count, body, start)
    samples = figures[3]
    return [total / samples for total in sums], figures / tf.stack([samples, samples, 1.0, 1.0])
