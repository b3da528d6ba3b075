"""Cuts operators out of a `.tflite` file: a file of its own that computes them alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.tflite.unpacked import pack, unpack

# Operators that call other subgraphs, which an excerpt leaves behind.
CALLING = frozenset({"WHILE", "IF", "CALL_ONCE", "CALL", "STABLEHLO_COMPOSITE"})


class Excerpts:
    """A file from which excerpts are cut; its main subgraph only.

    Args:
        content: of the whole `.tflite` file.
    """

    def __init__(self, content: bytes) -> None:
        self._model = unpack(content)

    def cut(self, operators: Sequence[int], inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """Returns a file of some operators.

        Args:
            operators: their numbers, in order of execution.
            inputs: tensors that are fed, each read by one of the operators.
            outputs: tensors to read, each made by one of the operators.

        Returns:
            The content of a `.tflite` file whose inputs and outputs have the order given.
        """
        from ai_edge_litert import schema_py_generated as schema

        source = self._model.subgraphs[0]
        chosen = [_copied(source.operators[number]) for number in operators]
        places = _places(chosen)
        graph = schema.SubGraphT()
        graph.tensors = [_copied(source.tensors[index]) for index in places]
        model = schema.ModelT()
        model.version = self._model.version
        model.operatorCodes = self._model.operatorCodes
        model.buffers = [schema.BufferT()]
        for tensor in graph.tensors:
            buffer = self._model.buffers[tensor.buffer]
            tensor.buffer = 0
            if buffer.data is not None and len(buffer.data):
                tensor.buffer = len(model.buffers)
                model.buffers.append(buffer)
        for operator in chosen:
            for field in ("inputs", "outputs", "intermediates"):
                indices = getattr(operator, field)
                if indices is not None:
                    moved = [places.get(index, -1) for index in indices]
                    setattr(operator, field, np.array(moved, np.int32))
        graph.operators = chosen
        graph.inputs = np.array([places[index] for index in inputs], np.int32)
        graph.outputs = np.array([places[index] for index in outputs], np.int32)
        model.subgraphs = [graph]
        return pack(model)


def _copied(source: Any) -> Any:
    made = type(source)()
    vars(made).update(vars(source))
    return made


def _places(operators: Sequence[Any]) -> dict[int, int]:
    """Returns where each tensor of the operators goes: index in the file → in the excerpt."""
    places: dict[int, int] = {}
    for operator in operators:
        for indices in (operator.inputs, operator.outputs, operator.intermediates):
            for index in [] if indices is None else indices:
                if index >= 0:
                    places.setdefault(int(index), len(places))
    return places
