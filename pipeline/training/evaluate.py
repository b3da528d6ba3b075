"""Loss and metric of a Keras 3 model on a split."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.tasks.losses import losses, scores
from pipeline.tasks.task import Task

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import Split

EVALUATION_BATCH_SIZE = 256


def evaluate_model(
    model: keras.Model, split: Split, task: Task, batch_size: int = EVALUATION_BATCH_SIZE
) -> dict[str, float]:
    """Evaluates a model in inference mode (no dropout, moving BatchNorm statistics).

    Args:
        model: x (n, *input_shape) → outputs as the task has them.
        split: samples and answers.
        task: what the model is asked to do.
        batch_size: samples in one call, 1 or more; it does not change the figures' meaning.

    Returns:
        loss: mean loss, summed in float64 and without regularization penalties; the task's
            metric; samples.
    """
    return evaluator(model, task, batch_size)(split)


def evaluator(
    model: keras.Model, task: Task, batch_size: int = EVALUATION_BATCH_SIZE
) -> Callable[[Split], dict[str, float]]:
    """Returns `evaluate_model` of this model with its graph traced once for all calls."""
    import tensorflow as tf

    @tf.function(jit_compile=False, reduce_retracing=True)
    def evaluate_batch(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        outputs = model(x, training=False)
        batch_losses, batch_scores = losses(task, outputs, y), scores(task, outputs, y)
        return (
            tf.reduce_sum(tf.cast(batch_losses, tf.float64)),
            tf.reduce_sum(tf.cast(batch_scores, tf.float64)),
        )

    def evaluate(split: Split) -> dict[str, float]:
        loss, score, samples = 0.0, 0.0, len(split)
        for start in range(0, samples, batch_size):
            rows = slice(start, start + batch_size)
            batch_loss, batch_score = evaluate_batch(
                tf.constant(split.x[rows]), tf.constant(split.y[rows])
            )
            loss += float(batch_loss)
            score += float(batch_score)
        return {"loss": loss / samples, task.metric: score / samples, "samples": samples}

    return evaluate
