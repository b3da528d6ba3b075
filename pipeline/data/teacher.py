"""A teacher's outputs for each training batch.

keras.distillation.Distiller (keras 3.15.1) runs the teacher at every step, trains by `fit`, which
does not resume bit for bit, and takes no tf_keras model, so not those of prune, cluster and QAT;
and its LogitsDistillation takes no softmax unless the loss is given as an object: by default it is
the divergence of raw logits. Here the teacher's outputs are one more part of the batch, the same
for both loops.

On digits (2 loaded cores, a small_cnn of 30,000 parameters as the teacher of a smaller one) a step
took 2 to 3 ms without a teacher and with answers that are held, 6 to 7 ms with answers made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from pipeline.config.train import FineTuneConfig
    from pipeline.data.prepared import Split
    from pipeline.data.samples import Samples

TEACHER_BATCH_SIZE = 256

TeacherReader = Callable[["tf.Tensor", "tf.Tensor"], "tf.Tensor"]


def teacher_reader(
    teacher: keras.Model, split: Split, config: FineTuneConfig, reconstructs: bool
) -> TeacherReader:
    """Makes the graph function (rows, x) → the teacher's outputs, float32 (b, …).

    Args:
        teacher: a Keras 3 model, run in inference mode.
        split: n samples.
        config: where it changes samples, the teacher sees the changed ones, batch by batch.
        reconstructs: outputs are as large as samples, and are not held for all of them.

    Returns:
        A function of the batch's rows, int64 (b,), and its samples as the student gets them.
    """
    import tensorflow as tf

    if config.augmentation is not None or config.mixup or reconstructs:
        return lambda rows, x: tf.cast(teacher(x, training=False), tf.float32)
    outputs = tf.constant(_run(teacher, split.x))
    return lambda rows, x: tf.gather(outputs, rows)


def _run(teacher: keras.Model, x: Samples) -> np.ndarray:
    starts = range(0, len(x), TEACHER_BATCH_SIZE)
    batches = (teacher(x[at : at + TEACHER_BATCH_SIZE], training=False) for at in starts)
    return np.concatenate([np.asarray(batch, np.float32) for batch in batches])
