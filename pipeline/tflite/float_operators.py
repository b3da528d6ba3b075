"""What a file of an integer scheme computes in float, between DEQUANTIZE and QUANTIZE."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.tflite.flatbuffer import ModelFile, Operator, Subgraph, read_model

FLOATS = frozenset({"float32", "float16", "float64"})
# The only operators through which a float may enter or leave an integer model.
_BOUNDARY = frozenset({"QUANTIZE", "DEQUANTIZE"})


@dataclass(frozen=True)
class FloatOperator:
    """One kind of operator that computes in float.

    Attributes:
        operator: its name in the schema.
        count: how many there are, bodies of loops included.
        tensors: names of the float tensors that they read and write, each once.
    """

    operator: str
    count: int
    tensors: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.operator} × {self.count}"

    def to_json(self) -> dict[str, Any]:
        """Returns the three fields under their names."""
        return {"operator": self.operator, "count": self.count, "tensors": list(self.tensors)}


def find_float_operators(model: ModelFile | Path) -> tuple[FloatOperator, ...]:
    """Lists the operators that read or write floats, in order of their first appearance.

    Args:
        model: a file, or what `read_model` made of it.

    Returns:
        One row per kind of operator; () for a file that is integer throughout. QUANTIZE and
        DEQUANTIZE do not count.

    Raises:
        ArtifactError: the file is missing or torn.
    """
    counts: dict[str, int] = defaultdict(int)
    tensors: dict[str, dict[str, None]] = defaultdict(dict)
    for subgraph in (read_model(model) if isinstance(model, Path) else model).subgraphs:
        for operator in subgraph.operators:
            names = float_tensors(subgraph, operator)
            if names:
                counts[operator.name] += 1
                tensors[operator.name] |= dict.fromkeys(names)
    return tuple(FloatOperator(name, count, tuple(tensors[name])) for name, count in counts.items())


def float_tensors(subgraph: Subgraph, operator: Operator) -> list[str]:
    """Returns the names of the float tensors that an operator computes on.

    Args:
        subgraph: that the operator stands in.
        operator: QUANTIZE and DEQUANTIZE have none: they are the boundary.
    """
    if operator.name in _BOUNDARY:
        return []
    indices = [index for index in (*operator.inputs, *operator.outputs) if index >= 0]
    found = [subgraph.tensors[index] for index in indices]
    return [tensor.name for tensor in found if tensor.dtype in FLOATS]
