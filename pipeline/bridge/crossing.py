"""A Keras 3 model rebuilt in tf_keras, and its weights brought there and back as arrays."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.activations import activation_objects
from pipeline.bridge.bridge_layer import (
    bridge_layer,
    is_bridge_layer,
    named_weights,
    run_as_itself,
)
from pipeline.bridge.graph import Call, Graph, Ref, fill, walk
from pipeline.bridge.layers import carry_over, check_precision, row_of
from pipeline.bridge.layers_table import NoCounterpart
from pipeline.bridge.operations import carry_operation, operation_layer
from pipeline.bridge.start import import_tf_keras, without_autograph
from pipeline.bridge.state import seed_generators
from pipeline.errors import ConfigError, PromiseError

if TYPE_CHECKING:
    import keras
    import tf_keras


@without_autograph
def to_tf_keras(model: keras.Model, seed: int = 0) -> tf_keras.Model:
    """Rebuilds a model in tf_keras: same layers, names, sharing, weights, L1/L2 and trainability.

    Nested models are flattened; their layers are then named "outer/inner". A layer that tf_keras
    lacks runs as itself, in a BridgeLayer.

    Args:
        model: a built Keras 3 functional or Sequential model; it is not changed.
        seed: what Dropout and noise layers are seeded from, ≥ 0.

    Returns:
        A functional tf_keras model.

    Raises:
        ConfigError: the model has no graph, two layers share a weight, or a layer is not float32
            or does not run in TensorFlow; its name is told.
        PromiseError: a weight that found no place.
    """
    keras_2 = import_tf_keras()
    graph = walk(model)
    _check_owners(graph)
    tensors: dict[Ref, Any] = {}
    for entry in graph.inputs:
        tensors[entry.ref] = keras_2.Input(
            shape=entry.shape[1:], batch_size=entry.shape[0], dtype=entry.dtype, name=entry.name
        )
    layers: dict[str, Any] = {}
    for call in graph.calls:
        if call.name not in layers:
            masked = any(is_masked(tensors[ref]) for ref in call.inputs)
            layers[call.name] = make_layer(call, graph, seed, len(layers), masked)
        results = _first_call(layers[call.name], call, tensors)
        for ref, result in zip(call.outputs, results, strict=True):
            tensors[ref] = result
    for number, layer in enumerate(layers.values()):
        seed_generators(layer, _own_seed(seed, number))
    inputs = [tensors[entry.ref] for entry in graph.inputs]
    outputs = fill(graph.outputs, tensors.__getitem__)
    crossed = keras_2.Model(inputs, outputs, name=model.name)
    copy_weights_over(model, crossed)
    return crossed


def _check_owners(graph: Graph) -> None:
    owners: dict[int, str] = {}
    for name, layer in graph.layers().items():
        for weight in getattr(layer, "weights", ()):
            owner = owners.setdefault(id(weight), name)
            if owner != name:
                raise ConfigError(
                    f"layers '{owner}' and '{name}' share the weight '{weight.path}', and each "
                    "would train its own in tf_keras; leave prune, cluster and qat out"
                )


def copy_weights_over(model: keras.Model, crossed: tf_keras.Model) -> None:
    """Copies every weight of a Keras 3 model to its tf_keras counterpart.

    Args:
        model: the Keras 3 model.
        crossed: what `to_tf_keras` made of it, or of a model with the same layers.

    Raises:
        PromiseError: a weight without a counterpart of the same name and shape.
    """
    for source, target in weight_pairs(model, crossed):
        target.assign(source.numpy())


def copy_weights_back(crossed: tf_keras.Model, model: keras.Model) -> None:
    """Copies every weight of a tf_keras model back to the Keras 3 model it came from.

    Args:
        crossed: what `to_tf_keras` made of `model`, trained since.
        model: the Keras 3 model whose weights are replaced.

    Raises:
        PromiseError: a weight without a counterpart of the same name and shape.
    """
    for target, source in weight_pairs(model, crossed):
        target.assign(source.numpy())


def weight_pairs(model: keras.Model, crossed: tf_keras.Model) -> list[tuple[Any, Any]]:
    """Pairs the weights of both models by layer name, weight name and shape.

    Returns:
        (Keras 3 variable, tf_keras variable), each weight of each layer once.

    Raises:
        PromiseError: a weight without a counterpart.
    """
    return [
        pair
        for name, layer in walk(model).layers().items()
        if getattr(layer, "weights", None)
        for pair in layer_weight_pairs(name, layer, crossed.get_layer(name))
    ]


def layer_weight_pairs(name: str, layer: Any, crossed: Any) -> list[tuple[Any, Any]]:
    """Pairs the weights of one layer with those of its tf_keras counterpart."""
    if is_bridge_layer(crossed):
        sources, targets = named_weights(layer), dict(crossed.own)
    else:
        row = row_of(layer)
        if row.from_layer is not None:
            return []  # its weights became constants of the counterpart
        if row.parts:
            parts = [(getattr(layer, part), getattr(crossed, part)) for part in row.parts]
            return [pair for both in parts for pair in layer_weight_pairs(name, *both)]
        names = [_last_name(weight.path) for weight in layer.weights]
        sources = {
            row.weights.get(own, own): weight
            for own, weight in zip(names, layer.weights, strict=True)
        }
        targets = {_last_name(weight.name): weight for weight in crossed.weights}
    pairs = []
    for own_name, weight in sources.items():
        target = targets.pop(own_name, None)
        if target is None or tuple(target.shape) != tuple(weight.shape):
            found = "none" if target is None else f"shape {tuple(target.shape)}"
            raise PromiseError(
                f"layer '{name}': weight '{own_name}' of shape {tuple(weight.shape)} has no "
                f"counterpart in tf_keras (found {found}); please report the layer's class "
                f"{type(layer).__name__}"
            )
        pairs.append((weight, target))
    if targets:
        raise PromiseError(
            f"layer '{name}': the tf_keras weights {sorted(targets)} have no counterpart in "
            f"Keras 3; please report the layer's class {type(layer).__name__}"
        )
    return pairs


def bridge_objects() -> dict[str, Any]:
    """Returns the bridge's own classes and functions, for a tf_keras custom object scope."""
    return {
        "BridgeOperation": operation_layer(),
        "BridgeLayer": bridge_layer(),
        **activation_objects(),
    }


def is_masked(tensor: Any) -> bool:
    """True for a tensor that carries a mask of either Keras."""
    return getattr(tensor, "_keras_mask", None) is not None


def _last_name(path: str) -> str:
    # "conv/kernel", "lstm/lstm_cell_3/kernel:0": the cell's number differs between the two.
    return path.split("/")[-1].split(":")[0]


def make_layer(call: Call, graph: Graph, seed: int, number: int, masked: bool = False) -> Any:
    """Makes the tf_keras layer, not built, for the layer or operation of a call.

    Args:
        call: of the graph.
        graph: it tells the shapes that operations work on.
        seed: of the model, ≥ 0.
        number: of the layer in the model; equal seed and number draw equal random numbers.
        masked: an input of the call carries a mask.

    Raises:
        ConfigError: it cannot cross, not even as itself.
    """
    import keras

    if not isinstance(call.layer, keras.layers.Layer):
        return carry_operation(call, graph.shapes, masked)
    check_precision(call.layer, call.name)
    own_seed = _own_seed(seed, number)
    calls = [other for other in graph.calls if other.name == call.name]
    try:
        made = carry_over(call.layer, call.name, own_seed)
        _check_calls(made, calls, masked)
        return made
    except NoCounterpart as reason:
        return run_as_itself(calls, str(reason), own_seed)


def _check_calls(made: Any, calls: list[Call], masked: bool) -> None:
    """Raises NoCounterpart for arguments or masks that the tf_keras layer takes differently."""
    class_name = type(made).__name__
    if masked and made.supports_masking != calls[0].layer.supports_masking:
        raise NoCounterpart(f"tf_keras's {class_name} hands on no mask")
    known = list(inspect.signature(made.call).parameters)
    own = list(inspect.signature(calls[0].layer.call).parameters)
    for call in calls:
        # The first argument is positional in both, whatever its name.
        given = own[1 : len(call.args)]
        if given != known[1 : len(call.args)] or not {*call.kwargs} <= {own[0], *known}:
            raise NoCounterpart(f"tf_keras's {class_name} takes other arguments in a call")


def _own_seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0] >> 1)


def _first_call(layer: Any, call: Call, tensors: Mapping[Any, Any]) -> list[Any]:
    try:
        return call_layer(layer, call, tensors)
    except Exception as error:
        first_line = str(error).strip().split("\n")[0]
        raise ConfigError(
            f"layer '{call.name}' ({type(call.layer).__name__}) does not run on TensorFlow in "
            f"tf_keras ({type(error).__name__}: {first_line}); leave prune and qat out"
        ) from error


def call_layer(layer: Any, call: Call, tensors: Mapping[Any, Any]) -> list[Any]:
    """Calls the tf_keras counterpart of a call's layer on the tensors of its Refs."""
    import keras

    inputs = [tensors[ref] for ref in call.inputs]
    given = inputs if len(inputs) > 1 else inputs[0]
    if is_bridge_layer(layer):
        result = layer(given, number=layer.spec.calls[call.outputs])
    elif isinstance(call.layer, keras.layers.Layer):
        args, kwargs = fill((call.args, call.kwargs), tensors.__getitem__)
        result = layer(*args, **kwargs)
    else:
        result = layer(given)
    return list(result) if isinstance(result, list | tuple) else [result]
