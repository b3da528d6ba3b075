"""A teacher's outputs, and features where they are asked for, for each training batch.

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
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

    from pipeline.config.train import FineTuneConfig
    from pipeline.data.prepared import Split
    from pipeline.data.samples import Samples

TEACHER_BATCH_SIZE = 256
# Of all samples together; what takes more is computed batch by batch.
HELD_BYTES = 128_000_000

TeacherReader = Callable[["tf.Tensor", "tf.Tensor"], tuple["tf.Tensor", ...]]


def teacher_reader(
    teacher: Callable[..., Any], split: Split, config: FineTuneConfig
) -> TeacherReader:
    """Makes the graph function (rows, x) → what the teacher says, each float32 (b, …).

    Args:
        teacher: a Keras 3 model, run in inference mode: x → outputs, or [outputs, feature, …].
        split: n samples.
        config: where it changes samples, the teacher sees the changed ones, batch by batch.

    Returns:
        A function of the batch's rows, int64 (b,), and its samples as the student gets them.
    """
    import tensorflow as tf

    changed = config.augmentation is not None or config.mixup
    held = None if changed else _run(teacher, split.x)
    if held is None:
        return lambda rows, x: tuple(
            tf.cast(values, tf.float32) for values in _as_list(teacher(x, training=False))
        )
    constants = [tf.constant(values) for values in held]
    return lambda rows, x: tuple(tf.gather(values, rows) for values in constants)


def _run(teacher: Callable[..., Any], x: Samples) -> list[np.ndarray] | None:
    """Runs all samples; None where what comes out is too large to be held."""
    parts: list[list[np.ndarray]] = []
    for start in range(0, len(x), TEACHER_BATCH_SIZE):
        said = _as_list(teacher(x[start : start + TEACHER_BATCH_SIZE], training=False))
        parts.append([np.asarray(values, np.float32) for values in said])
        if start == 0 and _bytes_of(parts[0]) * len(x) > HELD_BYTES * len(parts[0][0]):
            return None
    return [np.concatenate(values) for values in zip(*parts, strict=True)]


def _bytes_of(arrays: list[np.ndarray]) -> int:
    return sum(array.nbytes for array in arrays)


def _as_list(said: Any) -> list[Any]:
    return list(said) if isinstance(said, list | tuple) else [said]
