"""Stateless draws: numbers that depend on the run's seed, the epoch and the step alone.

A resumed training and both Keras versions see the same bits. Batches are made on the CPU, where
TensorFlow draws with Philox (Salmon et al., SC 2011), whatever the training runs on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

# One row each in the block of uniform numbers that a step draws: switching one kind of change on
# leaves what the others draw as it was.
ROWS = (
    "horizontal_flip", "vertical_flip", "rotate", "zoom", "shift_x", "shift_y", "crop_x", "crop_y",
    "contrast", "brightness",
)  # fmt: skip
# Blocks of a step that are drawn from other distributions, or with other shapes.
STREAMS = ("uniform", "noise", "mixup_1", "mixup_2")


def step_seed(seed: int, epoch: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    """Returns the stateless seed of one step, int64 (2,).

    Args:
        seed: the run's seed, in [0, 2**32).
        epoch: int64 scalar, from 0, below 2**31.
        step: int64 scalar, from 0 within the epoch.
    """
    import tensorflow as tf

    return tf.stack([seed + epoch * 2**32, step * len(STREAMS)])


def stream_seed(seed: tf.Tensor, stream: str) -> tf.Tensor:
    """Returns the stateless seed of one of a step's STREAMS."""
    import tensorflow as tf

    return seed + tf.constant([0, STREAMS.index(stream)], tf.int64)


def draw_rows(seed: tf.Tensor, count: tf.Tensor) -> dict[str, tf.Tensor]:
    """Draws uniform numbers in [0, 1) for each sample: name of ROWS → float32 (b,).

    Args:
        seed: the step's.
        count: int32 scalar, samples in the batch.
    """
    import tensorflow as tf

    block = tf.random.stateless_uniform([len(ROWS), count], stream_seed(seed, "uniform"))
    return dict(zip(ROWS, tf.unstack(block), strict=True))


def around_zero(uniform: tf.Tensor, reach: float) -> tf.Tensor:
    """Stretches uniform numbers to [-reach, reach)."""
    return (uniform * 2.0 - 1.0) * reach


def whole(uniform: tf.Tensor, reach: int) -> tf.Tensor:
    """Turns uniform numbers into whole ones from -reach to reach inclusive, float32 (b,)."""
    import tensorflow as tf

    return tf.floor(uniform * (2 * reach + 1)) - float(reach)


def sign(uniform: tf.Tensor, drawn: bool) -> tf.Tensor:
    """Turns uniform numbers into -1 or 1; all 1 where the change is not asked for."""
    import tensorflow as tf

    return tf.where(uniform < 0.5, -1.0, 1.0) if drawn else tf.ones_like(uniform)
