"""A Keras model's answers as a NumPy array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

    from pipeline.data.samples import Samples


def predict_outputs(model: keras.Model, x: Samples, batch_size: int = 256) -> np.ndarray:
    """Runs a model in inference mode, without Keras's progress output.

    Args:
        model: x → outputs.
        x: (n, *input_shape), in the model's input dtype.
        batch_size: samples in a call.

    Returns:
        float32 (n, …).
    """
    batches = [model(x[i : i + batch_size], training=False) for i in range(0, len(x), batch_size)]
    return np.concatenate([np.asarray(batch) for batch in batches])
