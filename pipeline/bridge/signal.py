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
) -> Iterator[dict[Ref | int, np.ndarray]]:
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
) -> dict[Ref | int, np.ndarray]:
    """Runs the Keras 3 graph call by call."""
    import keras

    tensors: dict[Ref, Any] = {
        entry.ref: keras.ops.convert_to_tensor(array, dtype=entry.dtype)
        for entry, array in zip(graph.inputs, inputs, strict=True)
    }
    for call in graph.calls:
        args, kwargs = fill((call.args, call.kwargs), tensors.__getitem__)
        if isinstance(call.layer, keras.layers.BatchNormalization) and _is_fresh(call.layer):
            given = np.asarray(keras.tree.flatten((args, kwargs))[0])
            _set_statistics(call, crossed.get_layer(call.name), given, restore)
        is_layer = isinstance(call.layer, keras.layers.Layer)
        result = call.layer(*args, **kwargs) if is_layer else call.layer.call(*args, **kwargs)
        tensors |= zip(call.outputs, keras.tree.flatten(result), strict=True)
    made = {ref for call in graph.calls for ref in call.outputs}
    return {ref: np.asarray(tensor) for ref, tensor in tensors.items() if ref in made}


def _is_fresh(layer: Any) -> bool:
    mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    return bool(np.all(mean == 0) and np.all(variance == 1))


def _set_statistics(call: Any, counterpart: Any, x: np.ndarray, restore: list[Any]) -> None:
    axes = tuple(a for a in range(x.ndim) if a != call.layer.axis % x.ndim)
    statistics = {"moving_mean": x.mean(axes), "moving_variance": x.var(axes)}
    pairs = layer_weight_pairs(call.name, call.layer, counterpart)
    for source, target in pairs:
        value = statistics.get(source.path.split("/")[-1])
        if value is not None:
            restore += [(source, source.numpy().copy()), (target, target.numpy())]
            source.assign(value)
            target.assign(value)
