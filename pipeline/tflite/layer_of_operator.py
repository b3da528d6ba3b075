"""Which layers of the Keras model an operator of a `.tflite` computes, told by names of tensors.

The converter joins the names of what it fuses: `net_1/relu_1/Relu;net_1/conv_1/convolution` is a
convolution and its activation. Keras 3 numbers each call of a layer (`conv` is in the scope
`conv_1`, called again `conv_3`), tf_keras does not, and tfmot puts `quant_` before the name. So
`dense_1` is the layer of that name or a call of `dense`; all names of a file together tell which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pipeline.tflite.flatbuffer import ModelFile, Operator, Subgraph
from pipeline.tflite.saved_model import signature_names

LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"
# What only changes the type of a tensor belongs to no layer.
_BOUNDARY = frozenset({"QUANTIZE", "DEQUANTIZE"})
# tfmot's quantizers have the scope of the layer before the operator that they were fused into.
_QUANTIZERS = re.compile(r"/(LastValueQuant|MovingAvgQuantize|AllValuesQuantize)(_\d+)?/")
_CALL_NUMBER = re.compile(r"_\d+$")
_QUANT = "quant_"


@dataclass(frozen=True)
class LayerNames:
    """The layers of a model.

    Attributes:
        layers: all of them in order of execution; those of a nested model as "outer/inner".
        lstm: of them, what becomes an LSTM operator, once per operator (twice if bidirectional):
            the only operators that keep no name at all.
    """

    layers: tuple[str, ...]
    lstm: tuple[str, ...] = ()


def layers_of_operators(model: ModelFile, names: LayerNames) -> list[tuple[str, ...]]:
    """Names the layers of each operator of the main subgraph.

    Args:
        model: a converted file, from Keras 3 or by way of tf_keras and tfmot.
        names: the layers of the Keras 3 model.

    Returns:
        One tuple per operator: its layers in order of execution, so that a convolution comes
        before the activation that was fused into it; () where there is none: operators without a
        name, functions of `keras.ops` outside any layer, QUANTIZE and DEQUANTIZE.
    """
    main = model.main
    read = _choose_reading(names.layers, [tensor.name for tensor in main.tensors])
    outputs = dict(zip(signature_names(names.layers), names.layers, strict=True))
    found = [_layers_of(operator, main, read, names.layers) for operator in main.operators]
    makers = {index: number for number, op in enumerate(main.operators) for index in op.outputs}
    for index, name in model.output_names.items():
        number = _skip_boundary(main, makers, index)
        if number is not None and not found[number] and name in outputs:
            found[number] = (outputs[name],)
    _name_lstm(main.operators, found, names.lstm)
    return found


# scope without the model's → the layer it is of, or None
_Reading = Callable[[str], str | None]


def _choose_reading(layers: Sequence[str], tensors: Iterable[str]) -> _Reading:
    """Returns the reading, with or without numbers of calls, by which more names make sense."""
    known = frozenset(layers)
    pieces = [piece for name in tensors for piece in _pieces(name)]

    def numbered(scope: str) -> str | None:
        parts = scope.split("/")
        if not all(_CALL_NUMBER.search(part) for part in parts):
            return None
        return _in(known, "/".join(_CALL_NUMBER.sub("", part) for part in parts))

    def plain(scope: str) -> str | None:
        return _in(known, scope) or _in(known, scope.removeprefix(_QUANT))

    readings = [numbered, plain]
    return max(readings, key=lambda read: sum(_read(read, p) is not None for p in pieces))


def _in(known: frozenset[str], name: str) -> str | None:
    return name if name in known else None


def _pieces(name: str) -> list[str]:
    """Splits the joined names of a tensor, those of quantizers left out."""
    return [piece for piece in name.split(";") if piece and not _QUANTIZERS.search(piece)]


def _read(read: _Reading, piece: str) -> str | None:
    """Returns the innermost layer of `model/outer/inner/operation`."""
    parts = piece.split("/")[1:]
    for end in range(len(parts), 0, -1):
        layer = read("/".join(parts[:end]))
        if layer is not None:
            return layer
    return None


def _layers_of(
    operator: Operator, graph: Subgraph, read: _Reading, order: Sequence[str]
) -> tuple[str, ...]:
    if operator.name in _BOUNDARY:
        return ()
    kernels = [
        graph.tensors[index]
        for index in operator.inputs
        if index >= 0 and graph.tensors[index].data is not None
    ]
    written = [graph.tensors[index].name for index in operator.outputs]
    # The last operator's output has the name of the call; its kernel keeps that of the layer.
    for names in (written, [tensor.name for tensor in kernels if len(tensor.shape) > 1]):
        layers = {_read(read, piece) for name in names for piece in _pieces(name)}
        if layers - {None}:
            return tuple(name for name in order if name in layers)
    return ()


def _skip_boundary(graph: Subgraph, makers: dict[int, int], index: int) -> int | None:
    """Returns the operator that computes an output of the file, before its change of type."""
    number = makers.get(index)
    while number is not None and graph.operators[number].name in _BOUNDARY:
        number = makers.get(graph.operators[number].inputs[0])
    return number


def _name_lstm(
    operators: Sequence[Operator], found: list[tuple[str, ...]], layers: Sequence[str]
) -> None:
    """Gives LSTM operators the names of the LSTM layers in order, if there are as many."""
    numbers = [number for number, operator in enumerate(operators) if operator.name == LSTM]
    if len(numbers) == len(layers):
        for number, layer in zip(numbers, layers, strict=True):
            found[number] = (layer,)
