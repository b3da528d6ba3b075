"""Soft answers, mixed samples and class weights of a training batch.

Label smoothing: Szegedy et al., "Rethinking the Inception architecture", CVPR 2016 (section 7).
mixup: Zhang et al., "mixup: Beyond empirical risk minimization", ICLR 2018 (equation 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.config.suggest import did_you_mean
from pipeline.data.draws import stream_seed
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import tensorflow as tf

    from pipeline.config.mixing import ClassWeights
    from pipeline.tasks.task import Task

Batch = tuple["tf.Tensor", "tf.Tensor", "tf.Tensor"]


def soft_answers(task: Task, y: tf.Tensor, smoothing: float) -> tf.Tensor:
    """Turns answers into probabilities, and takes `smoothing` of them off to spread evenly.

    Args:
        task: classification, binary or multi_label.
        y: integer (b,), or float (b, labels).
        smoothing: ε in [0, 1).

    Returns:
        float32: (b, k) (1 - ε) one-hot + ε / k for classification; otherwise y's shape,
        (1 - ε) y + ε / 2.
    """
    import tensorflow as tf

    if task.name == "classification":
        hard, choices = tf.one_hot(y, task.outputs, dtype=tf.float32), task.outputs
    else:
        hard, choices = tf.cast(y, tf.float32), 2
    return hard * (1.0 - smoothing) + smoothing / choices


def mix_up(batch: Batch, alpha: float, seed: tf.Tensor) -> Batch:
    """Mixes each sample with its neighbour: λ · own + (1 - λ) · neighbour's, λ ~ Beta(α, α).

    The batch is in random order, so the neighbour is a random partner. λ is drawn per sample;
    answers and weights are mixed as the samples are.

    Args:
        batch: x float32 (b, …), y float32 (b, …), w float32 (b,).
        alpha: α > 0; small values leave most samples nearly unmixed.
        seed: the step's.

    Returns:
        The mixed batch.
    """
    share = beta_draws(batch[2], alpha, seed)

    def mixed(values: tf.Tensor) -> tf.Tensor:
        import tensorflow as tf

        own = tf.reshape(share, tf.concat([tf.shape(share), [1] * (values.shape.rank - 1)], 0))
        return own * values + (1.0 - own) * tf.roll(values, 1, axis=0)

    x, y, w = (mixed(values) for values in batch)
    return x, y, w


def beta_draws(like: tf.Tensor, alpha: float, seed: tf.Tensor) -> tf.Tensor:
    """Draws Beta(α, α) as G₁ / (G₁ + G₂) with G ~ Gamma(α), float32 (b,)."""
    import tensorflow as tf

    first, second = (
        tf.random.stateless_gamma(tf.shape(like), stream_seed(seed, stream), alpha)
        for stream in ("mixup_1", "mixup_2")
    )
    # With small α both can underflow to 0: then the neighbour is taken whole.
    return tf.math.divide_no_nan(first, first + second)


def class_weights(task: Task, y: np.ndarray, config: ClassWeights) -> np.ndarray:
    """Returns what the loss of each class's samples is multiplied by.

    Args:
        task: classification or binary.
        y: int64 (n,), the training split's classes.
        config: "balanced", or class name → weight (1 for those that are not named).

    Returns:
        float32 (classes,). balanced: n / (k · n_c) as in scikit-learn, so that every class
        weighs the same and the mean over samples is 1; 0 for a class without samples.

    Raises:
        ConfigError: a name that is no class.
    """
    names = task.class_names
    if config == "balanced":
        counts = np.bincount(y, minlength=len(names))
        balanced = len(y) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        return np.where(counts > 0, balanced, 0.0).astype(np.float32)
    for name in config:
        if name not in names:
            raise ConfigError(
                f"class_weights: there is no class '{name}'{did_you_mean(name, names)}"
            )
    return np.array([config.get(name, 1.0) for name in names], np.float32)
