"""Every tensor of a Keras 3 graph on real signal, the expected side of a crossing's proof."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.crossing import layer_weight_pairs
from pipeline.bridge.graph import Graph, Ref, fill

if TYPE_CHECKING:
    import keras
    import tf_keras


@contextmanager
def real_signal(
    graph: Graph, model: keras.Model, crossed: tf_keras.Model, inputs: list[np.ndarray]
) -> Iterator[dict[Ref | int, Any]]:
    """Gives fresh BatchNormalization the samples' statistics, in both models, for a while."""
    restore: list[tuple[Any, np.ndarray]] = []
    try:
        values = _run_graph(graph, crossed, inputs, restore)
        whole = model(inputs if len(inputs) > 1 else inputs[0], training=False)
        import keras

        outputs = [np.asarray(tensor) for tensor in keras.tree.flatten(whole)]
        yield {**values, **dict(enumerate(outputs))}
    finally:
        for variable, value in restore:
            variable.assign(value)


def _run_graph(
    graph: Graph, crossed: tf_keras.Model, inputs: list[np.ndarray], restore: list[Any]
) -> dict[Ref | int, Any]:
    """Runs the Keras 3 graph call by call; its tensors carry their masks."""
    import keras

    tensors: dict[Ref | int, Any] = {
        entry.ref: keras.ops.convert_to_tensor(array, dtype=entry.dtype)
        for entry, array in zip(graph.inputs, inputs, strict=True)
    }
    for call in graph.calls:
        given = {ref: _with_own_mask(tensors[ref]) for ref in call.inputs}
        args, kwargs = fill((call.args, call.kwargs), given.__getitem__)
        is_layer = isinstance(call.layer, keras.layers.Layer)
        if is_layer:
            fresh = _fresh_normalizations(call.layer)
            if fresh:
                _set_statistics(call, fresh, crossed.get_layer(call.name), (args, kwargs), restore)
            result = call.layer(*args, training=False, **kwargs)
        else:
            result = call.layer.call(*args, **kwargs)
        tensors |= zip(call.outputs, keras.tree.flatten(result), strict=True)
    return tensors


def _with_own_mask(tensor: Any) -> Any:
    """Copies a masked tensor: MultiHeadAttention takes its inputs' masks off (keras 3.15.1)."""
    import tensorflow as tf

    mask = getattr(tensor, "_keras_mask", None)
    if mask is None:
        return tensor
    copy = tf.identity(tensor)
    copy._keras_mask = mask
    return copy


def _fresh_normalizations(layer: Any) -> list[Any]:
    """Finds the BatchNormalization layers in a layer (or itself) that have seen no data."""
    import keras

    found = [p for p in layer._flatten_layers() if isinstance(p, keras.layers.BatchNormalization)]
    return [
        part
        for part in found
        if np.all(part.moving_mean.numpy() == 0) and np.all(part.moving_variance.numpy() == 1)
    ]


def _set_statistics(
    call: Any, fresh: list[Any], counterpart: Any, given: Any, restore: list[Any]
) -> None:
    """Gives them the statistics of a pass in training mode, in which nothing else changes."""
    import keras

    args, kwargs = given
    statistics = {id(v) for part in fresh for v in (part.moving_mean, part.moving_variance)}
    before = [(part, part.momentum, part.trainable) for part in fresh]
    try:
        for part in fresh:
            part.momentum, part.trainable = 0.0, True
        with keras.StatelessScope() as scope:
            call.layer(*args, training=True, **kwargs)
    finally:
        for part, momentum, trainable in before:
            part.momentum, part.trainable = momentum, trainable
    for source, target in layer_weight_pairs(call.name, call.layer, counterpart):
        if id(source) in statistics:
            restore += [(source, source.numpy().copy()), (target, target.numpy())]
            value = scope.get_current_value(source)
            source.assign(value)
            target.assign(value)
