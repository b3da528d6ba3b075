"""The error of each layer of an integer file against the float file of the same model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline.compression.signal_noise import ErrorPower
from pipeline.tflite.excerpt import CALLING, Excerpts
from pipeline.tflite.flatbuffer import ModelFile, Subgraph
from pipeline.tflite.inner_tensors import InnerTensors
from pipeline.tflite.layer_of_operator import LayerNames, layers_of_operators
from pipeline.tflite.operator_pairs import find_pairs

_BOUNDARY = frozenset({"QUANTIZE", "DEQUANTIZE"})


@dataclass(frozen=True)
class LayerError:
    """A layer's error.

    Attributes:
        layers: its name first, then those of what was fused into it, in order of execution.
        operators: their names in the file.
        accumulated: of its output in the file as it runs: all errors before it are in it.
        own: of its output when it is fed with float inputs; without elements where the layer
            cannot be run alone.
    """

    layers: tuple[str, ...]
    operators: tuple[str, ...]
    accumulated: ErrorPower = field(default_factory=ErrorPower)
    own: ErrorPower = field(default_factory=ErrorPower)

    def to_json(self) -> dict[str, Any]:
        """Returns layer, fused, operators, sqnr_db, own_sqnr_db; None without noise or signal."""
        return {
            "layer": self.layers[0],
            "fused": list(self.layers[1:]),
            "operators": list(self.operators),
            "sqnr_db": _rounded(self.accumulated.sqnr_db),
            "own_sqnr_db": _rounded(self.own.sqnr_db),
        }


@dataclass(frozen=True)
class Group:
    """The operators of one layer that stand together.

    Attributes:
        layers: the layer first, then what was fused into its operators.
        operators: numbers in order of execution.
        inputs: tensors that they read from outside, constants and states left out.
        output: the tensor that they make for others, the last if there are several.
    """

    layers: tuple[str, ...]
    operators: tuple[int, ...]
    inputs: tuple[int, ...]
    output: int


def measure_layer_errors(
    content: bytes, in_float: bytes, names: LayerNames, x: np.ndarray
) -> list[LayerError]:
    """Measures every layer whose output is found in both files.

    Args:
        content: of the integer file; one input.
        in_float: of the float32 file, converted from the same SavedModel.
        names: of the model's layers.
        x: (n, …) samples; those that fill no whole batch are left out.

    Returns:
        One row per layer, in order of execution; a layer that is called in several places has
        one for each.
    """
    quantized, exact = InnerTensors(content), InnerTensors(in_float)
    twins = match_tensors(quantized.file, exact.file)
    groups = [
        group
        for group in group_operators(quantized.file, layers_of_operators(quantized.file, names))
        if group.output in twins
    ]
    excerpts = Excerpts(content)
    alone = [_run_alone(excerpts, quantized.file.main, group, twins) for group in groups]
    graph = quantized.file.main
    rows = [
        LayerError(group.layers, tuple(graph.operators[number].name for number in group.operators))
        for group in groups
    ]
    batch = graph.tensors[graph.inputs[0]].shape[0]
    for start in range(0, len(x) - batch + 1, batch):
        samples = x[start : start + batch]
        quantized.run({quantized.inputs[0]: samples})
        exact.run({exact.inputs[0]: samples})
        for row, group, layer in zip(rows, groups, alone, strict=True):
            expected = exact.read(twins[group.output])
            row.accumulated.add(expected, quantized.read(group.output))
            if layer is not None:
                fed = [exact.read(twins[index]) for index in group.inputs]
                layer.run(dict(zip(layer.inputs, fed, strict=True)))
                row.own.add(expected, layer.read(layer.file.main.outputs[0]))
    return rows


def _run_alone(
    excerpts: Excerpts, graph: Subgraph, group: Group, twins: Mapping[int, int]
) -> InnerTensors | None:
    """Loads a layer alone; None where an input has no twin, or it calls other subgraphs."""
    called = any(graph.operators[number].name in CALLING for number in group.operators)
    if called or not group.inputs or any(index not in twins for index in group.inputs):
        return None
    return InnerTensors(excerpts.cut(group.operators, group.inputs, [group.output]))


def group_operators(file: ModelFile, layers: Sequence[tuple[str, ...]]) -> list[Group]:
    """Puts the operators of each layer together.

    Args:
        file: the file.
        layers: of each operator; see `layers_of_operators`.

    Returns:
        Groups in order of their first operator. An operator joins a group of the same layer that
        makes what it reads; a layer called elsewhere again has another group.
    """
    graph = file.main
    chains: list[list[int]] = []
    chain_of: dict[int, list[int]] = {}  # tensor → the chain that makes it
    for number, operator in enumerate(graph.operators):
        if not layers[number]:
            continue
        own = layers[number][0]
        before = [chain_of[index] for index in operator.inputs if index in chain_of]
        chain = next((c for c in before if layers[c[0]][0] == own), None)
        if chain is None:
            chain = []
            chains.append(chain)
        chain.append(number)
        chain_of |= dict.fromkeys(operator.outputs, chain)
    return [_describe_group(graph, chain, layers) for chain in chains]


def _describe_group(
    graph: Subgraph, numbers: Sequence[int], layers: Sequence[tuple[str, ...]]
) -> Group:
    operators = [graph.operators[number] for number in numbers]
    made = [index for operator in operators for index in operator.outputs]
    read = dict.fromkeys(index for operator in operators for index in operator.inputs)
    outside = [
        index
        for index in read
        if index >= 0
        and index not in made
        and graph.tensors[index].data is None
        and not graph.tensors[index].is_variable
    ]
    used = {
        index
        for number, operator in enumerate(graph.operators)
        if number not in numbers
        for index in operator.inputs
    } | set(graph.outputs)
    leaving = [index for index in made if index in used] or made
    names = dict.fromkeys(name for number in numbers for name in layers[number])
    return Group(tuple(names), tuple(numbers), tuple(outside), leaving[-1])


def match_tensors(file: ModelFile, in_float: ModelFile) -> dict[int, int]:
    """Finds what the tensors of an integer file are called in the float file.

    Both come from one SavedModel, so that the converter gives them the same names. Inputs and
    outputs are matched by the signature, and what QUANTIZE or DEQUANTIZE makes is what it reads.
    Where the float file emulates quantization by such a pair, the twin is what comes out of it.

    Returns:
        Index in the main subgraph of `file` → index in that of `in_float`.
    """
    names = {tensor.name: tensor.index for tensor in _computed(in_float)}
    shapes = {tensor.index: tensor.shape for tensor in in_float.main.tensors}
    twins = {tensor.index: names[tensor.name] for tensor in _computed(file) if tensor.name in names}
    for own, other in ((file.input_names, in_float.input_names),
                       (file.output_names, in_float.output_names)):  # fmt: skip
        places = {name: index for index, name in other.items()}
        twins |= {index: places[name] for index, name in own.items() if name in places}
    crossings = [op for op in file.main.operators if op.name in _BOUNDARY]
    for operator in reversed(crossings):  # from the outputs of the file backwards
        if operator.outputs[0] in twins:
            twins.setdefault(operator.inputs[0], twins[operator.outputs[0]])
    for operator in crossings:
        if operator.inputs[0] in twins:
            twins[operator.outputs[0]] = twins[operator.inputs[0]]
    pairs = find_pairs(in_float.main, "QUANTIZE", "DEQUANTIZE")
    emulated = {rounded: made for made, rounded in pairs.items()}
    twins = {own: emulated.get(other, other) for own, other in twins.items()}
    tensors = file.main.tensors
    return {own: other for own, other in twins.items() if tensors[own].shape == shapes[other]}


def _computed(file: ModelFile) -> list[Any]:
    return [tensor for tensor in file.main.tensors if tensor.data is None]


def _rounded(ratio: float | None) -> float | None:
    return None if ratio is None else round(ratio, 2)
