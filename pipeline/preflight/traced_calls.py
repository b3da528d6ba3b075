"""A SavedModel in which every operator carries the number of the call that it comes from.

The converter names the tensors of a `.tflite` after the name scopes of the graph. Layers have
scopes of their own, but operations have none and shared layers the same one twice; numbers tell
all apart.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pipeline.bridge.graph import Graph, Ref, fill
from pipeline.tflite.flatbuffer import ModelFile, Operator, Subgraph
from pipeline.tflite.saved_model import save_function, signature_names

_SCOPE = "call_"
_NUMBER = re.compile(rf"{_SCOPE}(\d+)(?:/|$)")


def save_traced_calls(graph: Graph, directory: Path) -> None:
    """Writes a model call by call, for one sample at a time.

    Args:
        graph: of a Keras 3 model.
        directory: made by this call.
    """
    import tensorflow as tf

    names = signature_names([entry.name for entry in graph.inputs])
    specs = [
        tf.TensorSpec((1, *entry.shape[1:]), entry.dtype, name=name)
        for entry, name in zip(graph.inputs, names, strict=True)
    ]

    @tf.function(input_signature=specs, autograph=False)
    def serve(*tensors: Any) -> dict[str, Any]:
        given = {entry.ref: x for entry, x in zip(graph.inputs, tensors, strict=True)}
        values = run_calls(graph, given)
        return {name: values[ref] for name, ref in _output_names(graph).items()}

    save_function(serve, directory)


def _output_names(graph: Graph) -> dict[str, Ref]:
    """Names each output after the call that makes it: the file keeps no other name for it."""
    makers = {ref: number for number, call in enumerate(graph.calls) for ref in call.outputs}
    return {
        f"output_{place}_{_SCOPE}{makers[ref]}" if ref in makers else f"output_{place}": ref
        for place, ref in enumerate(graph.output_refs())
    }


def run_calls(graph: Graph, tensors: dict[Ref, Any]) -> dict[Ref, Any]:
    """Runs a graph call by call, each in a name scope with its number.

    Args:
        graph: of a Keras 3 model.
        tensors: TensorFlow tensors that enter it.

    Returns:
        Every tensor of the graph.
    """
    import keras
    import tensorflow as tf

    values = dict(tensors)
    for number, call in enumerate(graph.calls):
        with tf.name_scope(f"{_SCOPE}{number}"):
            args, kwargs = fill((call.args, call.kwargs), values.__getitem__)
            if getattr(call.layer, "_call_has_training_arg", False):
                kwargs["training"] = False  # RandomBrightness and its like default to True
            is_layer = isinstance(call.layer, keras.layers.Layer)
            made = (call.layer if is_layer else call.layer.call)(*args, **kwargs)
        values |= zip(call.outputs, keras.tree.flatten(made), strict=True)
    return values


def call_number(operator: Operator, subgraph: Subgraph, model: ModelFile) -> int | None:
    """Tells from which call an operator of the converted file comes.

    Args:
        operator: of the file.
        subgraph: that it stands in.
        model: the file; it names the outputs.

    Returns:
        The number; None for an operator that belongs to no call.
    """
    outputs = model.output_names if subgraph is model.main else {}
    for index in (*operator.outputs, *operator.inputs):
        if index >= 0:
            found = _NUMBER.search(outputs.get(index, subgraph.tensors[index].name))
            if found is not None:
                return int(found[1])
    return None
