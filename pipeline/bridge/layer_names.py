"""The names by which the layers of a model are found in its `.tflite` file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.bridge.graph import walk
from pipeline.models.functional import has_graph
from pipeline.tflite.layer_of_operator import LayerNames

if TYPE_CHECKING:
    import keras


def layer_names(model: keras.Model) -> LayerNames:
    """Names the layers of a Keras 3 model in order of execution; nested ones as "outer/inner".

    Args:
        model: built; one that is subclassed has no graph, its own layers are named.
    """
    if not has_graph(model):
        return LayerNames(tuple(layer.name for layer in model.layers))
    graph = walk(model)
    lstm = [call.name for call in graph.calls for _ in range(_lstm_operators(call.layer))]
    return LayerNames(tuple(graph.layers()), tuple(lstm))


def _lstm_operators(layer: Any) -> int:
    """Counts the LSTM operators that a call of a layer becomes."""
    import keras

    if isinstance(layer, keras.layers.Bidirectional):
        return 2 * isinstance(layer.forward_layer, keras.layers.LSTM)
    return int(isinstance(layer, keras.layers.LSTM))
