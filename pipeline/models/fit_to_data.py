"""Whether a model that someone else made fits the data, and what its outputs mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ConfigError
from pipeline.models.functional import has_graph

if TYPE_CHECKING:
    import keras

    from pipeline.data.samples import Samples
    from pipeline.tasks.task import Task

PROBABILITIES = frozenset({"softmax", "sigmoid"})
# Operations that hand on what they are given; where one of them ends a model, look before it.
PASSES_ON = frozenset({"Flatten", "Reshape", "Identity", "Dropout", "Squeeze", "ExpandDims"})
LOOKED_AT = 64
SUM_TOLERANCE = 1e-3
# What a model of another form than the task needs usually is.
OTHER_TASKS = {
    "binary": "for two outputs set data.task: classification",
    "classification": "for one output set data.task: binary",
    "multi_label": "for one class per sample set data.task: classification",
    "regression": "set data.task to what the model answers",
    "reconstruction": "set data.task to what the model answers",
}


def check_fits(
    model: keras.Model, input_shape: tuple[int, ...], input_dtype: str, task: Task
) -> None:
    """Refuses a model that cannot take the samples, or whose answers are of another form.

    Args:
        model: built; Keras 3.
        input_shape: of one sample, without the batch axis.
        input_dtype: "float32", or "int32" for token ids.
        task: what the data ask for.

    Raises:
        ConfigError: naming what was received, what was expected and what to do.
    """
    for kind, tensors in (("inputs", model.inputs), ("outputs", model.outputs)):
        if len(tensors) != 1:
            names = ", ".join(tensor.name for tensor in tensors)
            raise ConfigError(
                f"model.path: the model has {len(tensors)} {kind} ({names}), expected one; cut it "
                f"to one of them with keras.Model(inputs, outputs)"
            )
    expected, reads_tokens = tuple(model.inputs[0].shape[1:]), looks_up_tokens(model)
    if len(expected) != len(input_shape) or any(
        side not in (None, given) for side, given in zip(expected, input_shape, strict=True)
    ):
        raise ConfigError(
            f"model.path: the model takes samples of shape {expected}, data.source gives "
            f"{input_shape}; reshape the data"
        )
    if reads_tokens != (input_dtype == "int32"):
        has, advice = ("takes numbers", "none") if not reads_tokens else ("looks up ids", "tokens")
        raise ConfigError(
            f"model.path: the model {has}, data.source gives {input_dtype}; "
            f"set data.preprocessing.kind: {advice}"
        )
    _check_outputs(tuple(model.outputs[0].shape[1:]), task)


def _check_outputs(shape: tuple[int | None, ...], task: Task) -> None:
    if task.name == "parity":
        return
    flat = task.name == "reconstruction" or len(shape) == 1
    if None not in shape and flat and math.prod(shape) == task.outputs:  # type: ignore[arg-type]
        return
    raise ConfigError(
        f"model.path: the model gives {shape or '()'} numbers per sample, data.task {task.name} "
        f"needs ({task.outputs},); {OTHER_TASKS[task.name]}"
    )


def looks_up_tokens(model: keras.Model) -> bool:
    """Tells whether what enters the model goes straight into an embedding."""
    import keras

    entry, operations = model.inputs[0], getattr(model, "operations", model.layers)
    readers = (op for op in operations if isinstance(op, keras.layers.Embedding))
    nodes = (node for reader in readers for node in reader._inbound_nodes)
    return any(tensor is entry for node in nodes for tensor in node.input_tensors)


def fix_input(model: keras.Model, input_shape: tuple[int, ...], input_dtype: str) -> keras.Model:
    """Gives a model whose input has open sides, or another type, the data's shape and type.

    A `.tflite` has one shape; and token ids that enter as float32 would be quantized.

    Args:
        model: that check_fits accepted.
        input_shape: of one sample.
        input_dtype: "float32" or "int32".

    Returns:
        The model itself where nothing had to be changed; else a copy with the same layers, names
        and weights.
    """
    import keras

    entry = model.inputs[0]
    if tuple(entry.shape[1:]) == input_shape and entry.dtype == input_dtype:
        return model
    name = entry._keras_history.operation.name
    fixed = keras.Input(input_shape, dtype=input_dtype, name=name)
    copy = keras.models.clone_model(model, input_tensors=fixed)
    copy.set_weights(model.get_weights())
    return copy


def output_form(model: keras.Model, x: Samples, task: Task) -> tuple[str, str] | None:
    """Tells whether the outputs are logits or probabilities.

    Args:
        model: that check_fits accepted.
        x: samples, as the model takes them; up to LOOKED_AT are run where the graph does not tell.
        task: what the data ask for.

    Returns:
        ("logits" or "probabilities", how that is known); None for tasks whose answers are numbers.
    """
    if task.name in ("regression", "reconstruction"):
        return None
    last = last_activation(model)
    if last in PROBABILITIES:
        return "probabilities", f"it ends in {last}"
    if last is not None:
        return "logits", f"it ends in {'no activation' if last == 'linear' else last}"
    outputs = np.asarray(model(x[:LOOKED_AT], training=False), np.float64)
    outputs = outputs.reshape(len(outputs), -1)
    told = f"so its answers to {len(outputs)} samples tell"
    if outputs.min() < 0 or outputs.max() > 1:
        return "logits", told
    sums = np.abs(outputs.sum(axis=1) - 1).max()
    single = task.name in ("binary", "multi_label")
    return ("probabilities" if single or sums < SUM_TOLERANCE else "logits"), told


def last_activation(model: keras.Model) -> str | None:
    """Returns the name of the function that the model ends in; None where the graph hides it.

    Args:
        model: one output. "linear" is a layer without an activation.
    """
    import keras

    tensor = model.outputs[0]
    while True:
        operation = tensor._keras_history.operation
        name = type(operation).__name__
        if isinstance(operation, keras.Model):
            return last_activation(operation) if has_graph(operation) else None
        if name not in PASSES_ON or not operation._inbound_nodes[0].input_tensors:
            break
        tensor = operation._inbound_nodes[tensor._keras_history.node_index].input_tensors[0]
    if name.lower() in PROBABILITIES:
        return name.lower()
    activation: Any = getattr(operation, "activation", None)
    if activation is None:
        return None
    return str(getattr(activation, "__name__", type(activation).__name__))
