"""The fresh network that learns from a teacher, in and out of the same form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.config.families import is_application
from pipeline.data.preprocessing import Affine
from pipeline.models.build import build_model

if TYPE_CHECKING:
    import keras

    from pipeline.config.model import ModelConfig
    from pipeline.data.prepared import PreparedData
    from pipeline.tasks.task import Task

ACTIVATIONS = {"classification": "softmax", "binary": "sigmoid", "multi_label": "sigmoid"}
# Pixels from 0 to 255 → -1 to 1.
OF_PIXELS = (1 / 127.5, -1.0)


def build_student(config: ModelConfig, teacher: ModelConfig, data: PreparedData) -> keras.Model:
    """Builds a student that takes what its teacher takes and answers as it answers.

    Args:
        config: the student's architecture.
        teacher: the architecture that the chain began with. One of keras.applications takes
            pixels from 0 to 255; a student of another kind gets a layer in front that scales them.
        data: its task tells whether the outputs are logits or probabilities.

    Returns:
        A Keras 3 model with fresh weights.

    Raises:
        ConfigError: the architecture does not fit the data.
    """
    preprocessing = data.model_preprocessing
    if is_application(teacher.architecture) and not is_application(config.architecture):
        preprocessing = _scale_pixels(preprocessing)
    model = build_model(
        config, data.input_shape, data.task, preprocessing, data.input_dtype, data.tokens
    )
    return _in_probabilities(model, data.task) if data.task.probabilities else model


def _scale_pixels(before: Affine | None) -> Affine:
    """Follows what makes pixels from 0 to 255; for keras.applications that is one factor."""
    scale, offset = OF_PIXELS
    factor = 1.0 if before is None else float(before.scale)  # type: ignore[arg-type]
    return Affine(scale * factor, offset)


def _in_probabilities(model: keras.Model, task: Task) -> keras.Model:
    import keras

    activation = ACTIVATIONS.get(task.name)
    if activation is None:
        return model
    outputs = keras.layers.Activation(activation, name="probabilities")(model.outputs[0])
    return keras.Model(model.inputs, outputs, name=model.name)
