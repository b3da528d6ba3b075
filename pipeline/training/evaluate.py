"""Loss and accuracy of a Keras 3 model on a split."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import Split

EVALUATION_BATCH_SIZE = 256


def evaluate_model(
    model: keras.Model, split: Split, batch_size: int = EVALUATION_BATCH_SIZE
) -> dict[str, float]:
    """Evaluates a classifier in inference mode (no dropout, moving BatchNorm statistics).

    Args:
        model: x float32 (n, *input_shape) → logits (n, num_classes).
        split: x and class indices y int64 (n,).
        batch_size: samples in one call, 1 or more; it does not change the figures' meaning.

    Returns:
        loss: mean cross-entropy of the softmax of the logits, in nats, summed in float64 and
            without regularization penalties; accuracy in [0, 1]; samples.
    """
    return evaluator(model, batch_size)(split)


def evaluator(
    model: keras.Model, batch_size: int = EVALUATION_BATCH_SIZE
) -> Callable[[Split], dict[str, float]]:
    """Returns `evaluate_model` of this model with its graph traced once for all calls."""
    import tensorflow as tf

    @tf.function(jit_compile=False, reduce_retracing=True)
    def evaluate_batch(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        logits = tf.cast(model(x, training=False), tf.float32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
        hits = tf.equal(tf.argmax(logits, axis=-1), y)
        return tf.reduce_sum(tf.cast(losses, tf.float64)), tf.math.count_nonzero(hits)

    def evaluate(split: Split) -> dict[str, float]:
        loss, hits, samples = 0.0, 0, len(split.y)
        for start in range(0, samples, batch_size):
            end = start + batch_size
            batch_loss, batch_hits = evaluate_batch(
                tf.constant(split.x[start:end]), tf.constant(split.y[start:end])
            )
            loss += float(batch_loss)
            hits += int(batch_hits)
        return {"loss": loss / samples, "accuracy": hits / samples, "samples": samples}

    return evaluate
