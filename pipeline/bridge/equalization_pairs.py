"""Which layers of a Keras 3 model stand in a row with nothing between but what scales through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.bridge.graph import Call, Graph, Ref, walk

if TYPE_CHECKING:
    import keras

# f(s · x) = s · f(x) for s > 0, each channel by itself.
_ACTIVATIONS = frozenset({"linear", "relu", "leaky_relu"})
_OPERATIONS = frozenset({"Relu", "LeakyRelu"})
_LAYERS = frozenset(
    {
        f"{name}{rank}D"
        for name in ("MaxPooling", "AveragePooling", "GlobalMaxPooling", "GlobalAveragePooling",
                     "ZeroPadding", "Cropping", "UpSampling", "SpatialDropout")
        for rank in (1, 2)
    }
    | {"Dropout", "Identity", "LeakyReLU", "PReLU", "Flatten", "ActivityRegularization"}
)  # fmt: skip
_KERNELS = frozenset({"Conv1D", "Conv2D", "DepthwiseConv1D", "DepthwiseConv2D", "Dense"})


@dataclass(frozen=True)
class Pair:
    """Two layers, of which the second reads what the first makes.

    Attributes:
        first, second: calls of layers with a kernel.
        channels: that the first makes.
    """

    first: Call
    second: Call
    channels: int


@dataclass(frozen=True)
class Pairs:
    """What was found.

    Attributes:
        pairs: in the order of the calls of their first layers.
        normalizations: layer with a kernel → the BatchNormalization right behind it.
        skipped: layer with a kernel that is first in no pair → why.
    """

    pairs: tuple[Pair, ...]
    normalizations: dict[str, Any]
    skipped: dict[str, str]


def find_pairs(model: keras.Model) -> Pairs:
    """Finds the layers with a kernel whose channels may be scaled against those of the next one.

    Args:
        model: a built functional or Sequential model.

    Raises:
        ConfigError: the model has no graph.
    """
    search = _Search(walk(model))
    pairs: list[Pair] = []
    skipped: dict[str, str] = {}
    for call in search.graph.calls:
        if is_keras(call, _KERNELS):
            found = search.follow(call)
            if isinstance(found, Pair):
                pairs.append(found)
            else:
                skipped[call.name] = found
    return Pairs(tuple(pairs), search.normalizations, skipped)


def is_keras(call: Call, names: frozenset[str]) -> bool:
    """True for a call of one of Keras's own layers or operations of these names."""
    kind = type(call.layer)
    return kind.__module__.startswith("keras.src.") and kind.__name__ in names


class _Search:
    """Follows outputs through the graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.normalizations: dict[str, Any] = {}
        self._readers = graph.consumers()
        self._outputs = set(graph.output_refs())
        names = [call.name for call in graph.calls]
        self._shared = {name for name in names if names.count(name) > 1}

    def follow(self, call: Call) -> Pair | str:
        """Returns the pair that starts with a call, or why there is none."""
        reason = self._obstacle(call)
        if reason:
            return reason
        channels = self.graph.shapes[call.outputs[0]][-1]
        reader = self._next(call.outputs[0])
        if not isinstance(reader, str) and is_keras(reader, frozenset({"BatchNormalization"})):
            reason = self._normalization_obstacle(call, reader)
            if reason:
                return reason
            self.normalizations[call.name] = reader.layer
            if not reader.layer.scale:
                return f"{reader.name} (BatchNormalization) has no scale"
            reader = self._next(reader.outputs[0])
        if _activation(call.layer) not in _ACTIVATIONS:
            return f"{_activation(call.layer)} does not scale through"
        while not isinstance(reader, str):
            if is_keras(reader, _KERNELS):
                reason = self._obstacle(reader)
                return reason or Pair(call, reader, int(channels or 0))
            if not _scales_through(reader):
                return f"{reader.name} ({_describe(reader)}) does not scale through"
            reader = self._next(reader.outputs[0])
        return reader

    def _next(self, ref: Ref) -> Call | str:
        if ref in self._outputs:
            return "is an output of the model"
        readers = self._readers[ref]
        return readers[0] if len(readers) == 1 else "is read by several layers"

    def _obstacle(self, call: Call) -> str:
        if call.name in self._shared:
            return f"{call.name} is called several times"
        if getattr(call.layer, "data_format", None) == "channels_first":
            return f"{call.name} has its channels first"
        if getattr(call.layer, "groups", 1) != 1:
            return f"{call.name} has groups"
        return ""

    def _normalization_obstacle(self, call: Call, reader: Call) -> str:
        layer, rank = reader.layer, len(self.graph.shapes[call.outputs[0]])
        if _activation(call.layer) != "linear":
            return f"{reader.name} (BatchNormalization) is behind an activation"
        if layer.axis not in (-1, rank - 1) or reader.name in self._shared:
            return f"{reader.name} (BatchNormalization) is not of this layer's channels alone"
        return ""


def _activation(layer: Any) -> str:
    function = getattr(layer, "activation", None)
    if function is None:
        return "linear"
    return str(getattr(function, "__name__", type(function).__name__))


def _scales_through(call: Call) -> bool:
    layer = call.layer
    if is_keras(call, frozenset({"ReLU"})):
        return layer.max_value is None and layer.threshold == 0
    if is_keras(call, frozenset({"Activation"})):
        return _activation(layer) in _ACTIVATIONS
    if getattr(layer, "data_format", None) == "channels_first":
        return False
    return is_keras(call, _LAYERS | _OPERATIONS)


def _describe(call: Call) -> str:
    """The kind of a layer, with what makes it other than its kind."""
    kind = type(call.layer).__name__
    if kind == "ReLU" and call.layer.max_value is not None:
        return f"ReLU up to {call.layer.max_value:g}"
    return _activation(call.layer) if kind == "Activation" else kind
