"""Loss and metric of each sample of a batch, as TensorFlow operations.

Plain TensorFlow, so that the Keras 3 loop and the tf_keras loop minimize the same thing. With
outputs z (batch, k) and answers y:

    classification   loss = −Σ_j t_j · log softmax(z)_j        t one-hot of y, or y itself if soft
    binary           loss = −t · log σ(z) − (1 − t) · log(1 − σ(z))
    multi_label      the binary loss, mean over labels
    regression       loss = mean over targets of (z − y)²       y standardized
    reconstruction   loss = mean over values of (z − x)²

A model that ends in a softmax or sigmoid gives probabilities p; then z = log p, or
log p − log(1 − p), with p kept SMALLEST away from 0 and 1, as Keras does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.tasks.task import Task

# Keras's own epsilon: a probability of 0 costs 16.1 and not infinity.
SMALLEST = 1e-7

if TYPE_CHECKING:
    import tensorflow as tf


def losses(task: Task, outputs: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Computes the loss of each sample.

    Args:
        task: what the model is asked to do.
        outputs: float (batch, k), or (batch, *input_shape) for reconstruction.
        y: integer (batch,) class indices, or float soft targets (batch, k) for classification;
            (batch,) for binary; (batch, k) otherwise; the input for reconstruction.

    Returns:
        float32 (batch,), without regularization penalties.
    """
    import tensorflow as tf

    outputs = _logits(task, tf.cast(outputs, tf.float32))
    if task.name == "classification":
        if y.shape.rank == 1:
            return tf.nn.sparse_softmax_cross_entropy_with_logits(y, outputs)
        return tf.nn.softmax_cross_entropy_with_logits(tf.cast(y, tf.float32), outputs)
    targets = _flat(tf.cast(y, tf.float32))
    if task.name in ("binary", "multi_label"):
        errors = tf.nn.sigmoid_cross_entropy_with_logits(targets, outputs)
    else:
        errors = tf.math.squared_difference(_flat(outputs), targets)
    return tf.reduce_mean(errors, axis=1)


def scores(task: Task, outputs: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Computes the metric of each sample; its mean over samples is `task.metric`.

    Args:
        task: what the model is asked to do.
        outputs: as for `losses`.
        y: as for `losses`; a soft target counts as the class or label it is nearest to.

    Returns:
        float32 (batch,): 1 or 0 (right or wrong), fraction of right labels, mean absolute error
        in the unit of the source, or mean squared error.
    """
    import tensorflow as tf

    outputs = _logits(task, tf.cast(outputs, tf.float32))
    if task.name == "classification":
        answers = y if y.shape.rank == 1 else tf.argmax(y, axis=1)
        hits = tf.equal(tf.argmax(outputs, axis=1), tf.cast(answers, tf.int64))
        return tf.cast(hits, tf.float32)
    targets = _flat(tf.cast(y, tf.float32))
    if task.name in ("binary", "multi_label"):
        hits = tf.equal(outputs > 0.0, targets > 0.5)
        return tf.reduce_mean(tf.cast(hits, tf.float32), axis=1)
    if task.name == "regression":
        errors = tf.abs(outputs - targets) * tf.constant(task.target_scale, tf.float32)
    else:
        errors = tf.math.squared_difference(_flat(outputs), targets)
    return tf.reduce_mean(errors, axis=1)


def distilled_losses(
    task: Task,
    outputs: tf.Tensor,
    sample_losses: tf.Tensor,
    teacher_outputs: tf.Tensor,
    temperature: float,
    alpha: float,
) -> tf.Tensor:
    """Computes what each sample adds where a teacher is listened to as well.

    (1 - α) · loss + α · T² · KL(softmax(t / T) ‖ softmax(z / T)), with T² so that the gradients
    of both parts stay of one size (Hinton et al. 2015, section 2); per label with sigmoids for
    binary and multi_label. For regression and reconstruction the second part is α times the mean
    squared difference to the teacher.

    Args:
        task: what the model is asked to do.
        outputs: as for `losses`.
        sample_losses: float32 (batch,), what `losses` gave.
        teacher_outputs: the teacher's, in the form of `outputs`.
        temperature: T > 0.
        alpha: α in (0, 1].

    Returns:
        float32 (batch,).
    """
    import tensorflow as tf

    z, t = (_logits(task, tf.cast(values, tf.float32)) for values in (outputs, teacher_outputs))
    if task.name == "classification":
        divergence = _divergence(
            tf.nn.softmax_cross_entropy_with_logits, tf.nn.softmax, t / temperature, z / temperature
        )
        taught = temperature**2 * divergence
    elif task.name in ("binary", "multi_label"):
        divergences = _divergence(
            tf.nn.sigmoid_cross_entropy_with_logits, tf.sigmoid, t / temperature, z / temperature
        )
        taught = temperature**2 * tf.reduce_mean(divergences, axis=1)
    else:
        taught = tf.reduce_mean(tf.math.squared_difference(_flat(z), _flat(t)), axis=1)
    return (1.0 - alpha) * sample_losses + alpha * taught


def _divergence(
    cross_entropy: Callable[..., tf.Tensor],
    probabilities: Callable[[tf.Tensor], tf.Tensor],
    teacher: tf.Tensor,
    student: tf.Tensor,
) -> tf.Tensor:
    """KL(p ‖ q) = H(p, q) - H(p), from logits, so that no probability is ever 0."""
    p = probabilities(teacher)
    return cross_entropy(p, student) - cross_entropy(p, teacher)


def _logits(task: Task, outputs: tf.Tensor) -> tf.Tensor:
    """Turns probabilities into logits; NumPy's side of it is tasks/measure.py."""
    import tensorflow as tf

    if not task.probabilities or task.name not in ("classification", "binary", "multi_label"):
        return outputs
    p = tf.clip_by_value(outputs, SMALLEST, 1.0 - SMALLEST)
    return tf.math.log(p) if task.name == "classification" else tf.math.log(p / (1.0 - p))


def _flat(values: tf.Tensor) -> tf.Tensor:
    """(batch,) or (batch, …) → (batch, values)."""
    import tensorflow as tf

    return tf.reshape(values, (tf.shape(values)[0], -1))
