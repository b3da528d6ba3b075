"""The fresh network that learns from a teacher, in and out of the same form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.models.build import build_model

if TYPE_CHECKING:
    import keras

    from pipeline.config.model import ModelConfig
    from pipeline.data.prepared import PreparedData
    from pipeline.data.preprocessing import Affine
    from pipeline.tasks.task import Task

ACTIVATIONS = {"classification": "softmax", "binary": "sigmoid", "multi_label": "sigmoid"}


def build_student(
    config: ModelConfig, data: PreparedData, preprocessing: Affine | None
) -> keras.Model:
    """Builds a student that takes what its teacher takes and answers as it answers.

    Args:
        config: the student's architecture.
        data: its task tells whether the outputs are logits or probabilities.
        preprocessing: an affine map to place inside the student, in front; None for none.

    Returns:
        A Keras 3 model with fresh weights.

    Raises:
        ConfigError: the architecture does not fit the data.
    """
    model = build_model(
        config, data.input_shape, data.task, preprocessing, data.input_dtype, data.tokens
    )
    return _in_probabilities(model, data.task) if data.task.probabilities else model


def _in_probabilities(model: keras.Model, task: Task) -> keras.Model:
    import keras

    activation = ACTIVATIONS.get(task.name)
    if activation is None:
        return model
    outputs = keras.layers.Activation(activation, name="probabilities")(model.outputs[0])
    return keras.Model(model.input, outputs, name=model.name)
