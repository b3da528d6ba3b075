"""How far a student's inner layer is from its teacher's, as TensorFlow operations.

FitNets: Romero et al. 2015 (arXiv 1412.6550), equation 3, as one more part of the loss instead of
a training of its own before the other. For the samples of a batch

    mse      mean over all values of (s − t)²
    cosine   mean over places of 1 − s·t / (|s|·|t|), with vectors over the channels

Both are what keras.distillation.FeatureDistillation gives with the losses mse and
cosine_similarity (there −s·t / (|s|·|t|): the same gradient), but for each sample, so that
weights of samples count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import tensorflow as tf


def feature_losses(
    kind: Literal["mse", "cosine"], student: tf.Tensor, teacher: tf.Tensor
) -> tf.Tensor:
    """Computes the distance of each sample.

    Args:
        kind: of the distance.
        student: float (batch, …, channels).
        teacher: of the same shape.

    Returns:
        float32 (batch,); mse ≥ 0, cosine 0 to 2.
    """
    import tensorflow as tf

    s, t = tf.cast(student, tf.float32), tf.cast(teacher, tf.float32)
    if kind == "mse":
        distances = tf.math.squared_difference(s, t)
    else:
        unit_s, unit_t = tf.math.l2_normalize(s, axis=-1), tf.math.l2_normalize(t, axis=-1)
        distances = 1.0 - tf.reduce_sum(unit_s * unit_t, axis=-1)
    return tf.reduce_mean(tf.reshape(distances, (tf.shape(distances)[0], -1)), axis=1)
