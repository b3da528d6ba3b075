"""Writes a Keras model as a SavedModel that the converter understands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError
from pipeline.tflite.output_order import write_output_order

Names = tuple[list[str], list[str]]


def save_keras_model(
    model: Any, directory: Path, batch_size: int = 1, names: Names | None = None
) -> None:
    """Writes a Keras 3 or tf_keras model with one signature, `serving_default`.

    A traced function in a bare `tf.Module` instead of `model.export`: half the time (0.4 s
    against 0.8 s for a small CNN), nothing printed, and no second endpoint. The batch is fixed,
    because a dynamic one leaves chains of SHAPE and PACK behind Flatten and Reshape and keeps
    recurrent layers from converting at all.

    Args:
        model: functional or Sequential, built; run with `training=False`.
        directory: made by this call, or overwritten.
        batch_size: samples per call, at least 1.
        names: of inputs and of outputs, where the model's own are not those to show (tfmot
            renames what it quantizes); made fit for a signature.

    Raises:
        ConfigError: an input without a fixed size.
    """
    import tensorflow as tf

    for tensor in model.inputs:
        if None in tensor.shape[1:]:
            raise ConfigError(
                f"input {tensor.name!r} of shape {tuple(tensor.shape[1:])}: a .tflite file has "
                "fixed sizes; give each one, as in keras.Input((30, 4))"
            )
    inputs, outputs = map(signature_names, own_names(model) if names is None else names)
    specs = [
        tf.TensorSpec((batch_size, *tensor.shape[1:]), tensor.dtype, name=name)
        for tensor, name in zip(model.inputs, inputs, strict=True)
    ]

    # autograph=False: this function needs no rewriting; Keras rewrites its layers itself.
    @tf.function(input_signature=specs, autograph=False)
    def serve(*tensors: Any) -> dict[str, Any]:
        results = model(_as_given(model, tensors), training=False)
        return dict(zip(outputs, tf.nest.flatten(results), strict=True))

    save_function(serve, directory)
    write_output_order(directory, outputs)


def _as_given(model: Any, tensors: tuple[Any, ...]) -> Any:
    """Puts inputs into the form that the model takes: one, a list, a dictionary."""
    structure = getattr(model, "_inputs_struct", None)
    if structure is None:  # tf_keras takes a list for all
        return tensors[0] if len(tensors) == 1 else list(tensors)
    import keras

    return keras.tree.pack_sequence_as(structure, tensors)


def save_function(serve: Any, directory: Path) -> None:
    """Writes a tf.function as a SavedModel with one signature, `serving_default`.

    Args:
        serve: with an input signature of named tensors; returns a dictionary.
        directory: made by this call, or overwritten.
    """
    import tensorflow as tf

    module = tf.Module()
    module.serve = serve
    function = serve.get_concrete_function()
    # Only what the function reads is kept: no optimizer, no seed state of a Dropout, and none of
    # tfmot's wrappers, which could not be loaded without it.
    module.captured = list(function.graph.variables)
    tf.saved_model.save(module, str(directory), signatures={"serving_default": function})


def own_names(model: Any) -> Names:
    """Returns the names of a model's inputs and of its outputs, in the model's order."""
    # A Sequential of Keras 3 has no output_names of its own, its last layer names its output.
    outputs = getattr(model, "output_names", None) or [model.layers[-1].name]
    return [tensor.name for tensor in model.inputs], list(outputs)


def signature_names(names: Iterable[str]) -> list[str]:
    """Makes names of tensors fit for a signature: letters, digits and _, each one once.

    Args:
        names: as Keras gives them, e.g. "image:0" or "block/logits".
    """
    chosen: list[str] = []
    for name in names:
        base = re.sub(r"\W", "_", name.removesuffix(":0")) or "tensor"
        fitting, number = base, 1
        while fitting in chosen:
            number += 1
            fitting = f"{base}_{number}"
        chosen.append(fitting)
    return chosen
