"""What a tf_keras model answers, and how good that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.start import without_autograph
from pipeline.tasks.measure import measure
from pipeline.tasks.task import Task

if TYPE_CHECKING:
    import tf_keras

    from pipeline.data.prepared import Split
    from pipeline.data.samples import Samples

EVALUATION_BATCH = 256


def evaluate(model: tf_keras.Model, split: Split, task: Task) -> dict[str, Any]:
    """Returns the mean loss (float64), the task's metric and the number of samples."""
    return measure(task, predict(model, split.x), split.y[:])


def predict(model: tf_keras.Model, x: Samples) -> np.ndarray:
    """Returns the model's output in inference mode, float32 (n, …)."""
    import tensorflow as tf

    if getattr(model, "_slimline_predict", None) is None:
        signature = [tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)]
        model._slimline_predict = tf.function(
            without_autograph(lambda batch: model(batch, training=False)),
            input_signature=signature,
            autograph=False,
        )
    starts = range(0, len(x), EVALUATION_BATCH)
    parts = [model._slimline_predict(tf.constant(x[i : i + EVALUATION_BATCH])) for i in starts]
    return np.concatenate([part.numpy() for part in parts])
