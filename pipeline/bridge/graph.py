"""A Keras 3 functional or Sequential model of any topology as a plain list of calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigError
from pipeline.models.functional import has_graph

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Ref:
    """A tensor of the graph, by number."""

    number: int


@dataclass(frozen=True)
class Call:
    """One call of a layer or operation.

    Attributes:
        name: the layer's name; inside a nested model "outer/inner".
        layer: the Keras 3 layer or operation. A shared layer stands in several calls.
        args: positional arguments, each tensor replaced by its Ref.
        kwargs: keyword arguments that are not None, likewise; `training` is the model's affair.
        outputs: the tensors that the call makes, in order.
    """

    name: str
    layer: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: tuple[Ref, ...]

    @property
    def inputs(self) -> tuple[Ref, ...]:
        """The tensors that the call reads, in order."""
        import keras

        leaves = keras.tree.flatten((self.args, self.kwargs))
        return tuple(leaf for leaf in leaves if isinstance(leaf, Ref))


@dataclass(frozen=True)
class GraphInput:
    """An input of the model; shape includes the batch axis (usually None)."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    ref: Ref


@dataclass
class Graph:
    """Inputs, calls in an order in which they can be run, and outputs.

    Attributes:
        shapes: shape of each tensor with its batch axis, by Ref.
        outputs: the model's outputs, in its own structure (list, dict, or one Ref).
        names: of each layer, operation and nested model, by its id.
    """

    inputs: list[GraphInput] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    shapes: dict[Ref, tuple[int | None, ...]] = field(default_factory=dict)
    outputs: Any = None
    names: dict[int, str] = field(default_factory=dict, repr=False)

    def layers(self) -> dict[str, Any]:
        """Returns each layer or operation once, by name, in order of its first call."""
        return {call.name: call.layer for call in self.calls}

    def output_refs(self) -> list[Ref]:
        """Returns the outputs as a flat list."""
        import keras

        return list(keras.tree.flatten(self.outputs))

    def consumers(self) -> dict[Ref, list[Call]]:
        """Returns which calls read each tensor."""
        readers: dict[Ref, list[Call]] = {ref: [] for ref in self.shapes}
        for call in self.calls:
            for ref in call.inputs:
                readers[ref].append(call)
        return readers


def walk(model: keras.Model) -> Graph:
    """Reads the graph of a model; nested models are flattened into it.

    A nested model that is subclassed has no graph: it is one call of one layer.

    Args:
        model: a built Keras 3 functional or Sequential model.

    Returns:
        The graph; its Refs are equal in every walk of the same model.

    Raises:
        ConfigError: the model has no graph (subclassed, or not built).
    """
    import keras

    _require_graph(model)
    graph = Graph()
    known: dict[int, Ref] = {}
    for tensor in model.inputs:
        ref = _new_ref(graph, tensor)
        known[id(tensor)] = ref
        name = tensor._keras_history.operation.name
        graph.inputs.append(GraphInput(name, tuple(tensor.shape), tensor.dtype, ref))
    _expand(graph, model, known, prefix="")
    graph.outputs = keras.tree.map_structure(lambda t: known[id(t)], _output_structure(model))
    _check_names(graph)
    return graph


def _require_graph(model: Any) -> None:
    import keras

    if not isinstance(model, keras.Model):
        raise ConfigError(
            f"received {type(model).__module__}.{type(model).__name__}, expected a Keras 3 model"
        )
    if not has_graph(model):
        raise ConfigError(
            f"model '{model.name}' of class {type(model).__name__} is subclassed and has no graph "
            "to cross; write it with the functional API, or use quantize.method: ptq without prune"
        )
    if not model.built or not getattr(model, "inputs", None):
        raise ConfigError(
            f"model '{model.name}' is not built; give it an Input layer or call it on data once"
        )


def _output_structure(model: keras.Model) -> Any:
    import keras

    functional = model._functional if isinstance(model, keras.Sequential) else model
    return functional._outputs_struct


def _expand(graph: Graph, model: keras.Model, known: dict[int, Ref], prefix: str) -> None:
    """Adds the calls behind the model's outputs, each after the calls it reads from.

    An explicit stack: deep models come near Python's recursion limit.
    """
    import keras

    for layer in model.layers:
        # A layer that several models call is one layer, named as in the outermost of them.
        graph.names.setdefault(id(layer), prefix + layer.name)
    stack = [tensor for tensor in reversed(keras.tree.flatten(_output_structure(model)))]
    while stack:
        tensor = stack[-1]
        if id(tensor) in known:
            stack.pop()
            continue
        history = tensor._keras_history
        node = history.operation._inbound_nodes[history.node_index]
        missing = [t for t in node.input_tensors if id(t) not in known]
        if missing:
            stack.extend(reversed(missing))
            continue
        stack.pop()
        _add_call(graph, history.operation, node, known, prefix)


def _add_call(graph: Graph, operation: Any, node: Any, known: dict[int, Ref], prefix: str) -> None:
    import keras

    name = graph.names.setdefault(id(operation), prefix + operation.name)
    if isinstance(operation, keras.layers.InputLayer):
        raise ConfigError(f"input '{name}' is read by the graph but is no input of the model")
    if isinstance(operation, keras.Model) and has_graph(operation):
        _require_graph(operation)
        inner = {
            id(inside): known[id(outside)]
            for inside, outside in zip(operation.inputs, node.input_tensors, strict=True)
        }
        _expand(graph, operation, inner, prefix=name + "/")
        results = keras.tree.flatten(_output_structure(operation))
        for outside, inside in zip(node.outputs, results, strict=True):
            known[id(outside)] = inner[id(inside)]
        return

    def as_ref(value: Any) -> Any:
        return known[id(value)] if isinstance(value, keras.KerasTensor) else value

    args, kwargs = keras.tree.map_structure(
        as_ref, (tuple(node.arguments.args), dict(node.arguments.kwargs))
    )
    outputs = []
    for tensor in node.outputs:
        known[id(tensor)] = _new_ref(graph, tensor)
        outputs.append(known[id(tensor)])
    # Keras 3 records Dropout's default training=False as if it had been given; its models
    # override what is recorded by the training argument of their own call (keras 3.15.1).
    kwargs = {k: v for k, v in kwargs.items() if v is not None and k != "training"}
    graph.calls.append(Call(name, operation, args, kwargs, tuple(outputs)))


def _new_ref(graph: Graph, tensor: keras.KerasTensor) -> Ref:
    ref = Ref(len(graph.shapes))
    graph.shapes[ref] = tuple(tensor.shape)
    return ref


def _check_names(graph: Graph) -> None:
    owners: dict[str, int] = {entry.name: id(entry) for entry in graph.inputs}
    for call in graph.calls:
        if owners.setdefault(call.name, id(call.layer)) != id(call.layer):
            raise ConfigError(
                f"two layers are named '{call.name}'; the bridge finds layers by name: rename one"
            )


def numbered_arguments(call: Call) -> Any:
    """Returns a call's (args, kwargs) with each tensor stood for by its place in call.inputs."""
    import keras

    numbers = iter(range(len(call.inputs)))
    return keras.tree.map_structure(
        lambda leaf: Ref(next(numbers)) if isinstance(leaf, Ref) else leaf,
        (call.args, call.kwargs),
    )


def fill(structure: Any, value_of: Callable[[Ref], Any]) -> Any:
    """Returns `structure` (args, kwargs, outputs) with each Ref replaced by value_of(ref)."""
    import keras

    return keras.tree.map_structure(
        lambda leaf: value_of(leaf) if isinstance(leaf, Ref) else leaf, structure
    )
