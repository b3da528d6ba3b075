"""A quantized tf_keras model as a SavedModel for the converter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tf_keras


def save_quantized(
    model: tf_keras.Model, names: tuple[list[str], list[str]], directory: Path, batch_size: int
) -> None:
    import tensorflow as tf

    specs = [
        tf.TensorSpec((batch_size, *tensor.shape[1:]), tensor.dtype, name=_signature_name(name))
        for tensor, name in zip(model.inputs, names[0], strict=True)
    ]

    @tf.function(input_signature=specs, autograph=False)
    def serve(*inputs: Any) -> dict[str, Any]:
        results = model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)
        outputs = map(_signature_name, names[1])
        return dict(zip(outputs, tf.nest.flatten(results), strict=True))

    # A bare module that owns the variables: saving the tf_keras model itself would save
    # tfmot's wrappers, which cannot be loaded without it.
    module = tf.Module()
    module.serve = serve
    function = serve.get_concrete_function()
    module.captured = list(function.graph.variables)
    tf.saved_model.save(module, str(directory), signatures={"serving_default": function})


def _signature_name(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)
