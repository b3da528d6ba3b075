"""Counts what a `.tflite` file holds: weights, zeros, operators, multiply-accumulates."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.compression.entropy import entropy_bytes
from pipeline.compression.sparsity import (
    TensorSparsity,
    count_values,
    measure_tensor,
    overall_sparsity,
)
from pipeline.tflite.flatbuffer import ModelFile, Subgraph, Tensor, read_model
from pipeline.tflite.macs import BIAS_INPUTS, KERNEL_INPUTS, count_macs

Role = Literal["kernel", "bias", "other"]
# Constants of these types are numbers the model computes with; int32 and int64 ones are shapes
# and axes, unless they are a bias.
_WEIGHT_DTYPES = frozenset(
    {"float32", "float16", "float64", "int8", "uint8", "int16", "int4", "int2"}
)
_LOOPS = frozenset({"WHILE", "IF", "CALL"})


@dataclass(frozen=True)
class Weight:
    """A constant that the model computes with.

    Attributes:
        name: the tensor's name in the file.
        shape: as stored (kernels of Keras are stored transposed).
        dtype: as stored.
        role: kernel (matrix or filter of a layer), bias, or other (scales, tables, …).
        counts: parameters, zeros (relative to the zero point), distinct stored values.
        quantized_dimension: axis of the scales; 0 if there are none.
        scales: how many there are: 0 not quantized, 1 per tensor, more per channel.
        entropy_bytes: its codes at their zero-order entropy (compression/entropy.py).
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    role: Role
    counts: TensorSparsity
    quantized_dimension: int
    scales: int
    entropy_bytes: float

    def to_json(self) -> dict[str, Any]:
        """Returns all figures under their names."""
        return {
            "name": self.name,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "role": self.role,
            **self.counts.to_json(),
            "quantized_dimension": self.quantized_dimension,
            "scales": self.scales,
            "entropy_bytes": self.entropy_bytes,
        }


@dataclass(frozen=True)
class Inspection:
    """What a file holds.

    Attributes:
        weights: in the order of the file.
        operators: count by name, loop bodies included.
        macs: multiply-accumulates of one invoke, by operator name; a loop body counts once.
        uncounted: operators that hold weights, or loop, and whose MACs `macs` does not tell.
        inputs: dtype by name.
        outputs: dtype by name.
    """

    weights: tuple[Weight, ...]
    operators: dict[str, int]
    macs: dict[str, int]
    uncounted: tuple[str, ...]
    inputs: dict[str, str]
    outputs: dict[str, str]

    @property
    def kernels(self) -> tuple[Weight, ...]:
        """The weights that pruning and quantization are about."""
        return tuple(weight for weight in self.weights if weight.role == "kernel")

    @property
    def parameters(self) -> int:
        """Elements of all weights."""
        return sum(weight.counts.parameters for weight in self.weights)

    @property
    def non_zeros(self) -> int:
        """Elements of all weights that are not zero."""
        return self.parameters - sum(weight.counts.zeros for weight in self.weights)

    @property
    def sparsity(self) -> float:
        """Fraction of zeros in the kernels, in [0, 1]."""
        return overall_sparsity(weight.counts for weight in self.kernels)

    @property
    def overall_sparsity(self) -> float:
        """Fraction of zeros in all weights, in [0, 1]."""
        return overall_sparsity(weight.counts for weight in self.weights)

    @property
    def entropy_bytes(self) -> int:
        """Bytes that codes of each single weight cannot go below, rounded up.

        Kernels at their zero-order entropy, each with its own code. Biases, other constants and
        scales are left out: they are few, and nearly each value is another one, so that the
        table of their code would take more than it saves.
        """
        return math.ceil(sum(weight.entropy_bytes for weight in self.kernels))

    @property
    def total_macs(self) -> int:
        """Multiply-accumulates of one invoke."""
        return sum(self.macs.values())

    def to_json(self) -> dict[str, Any]:
        """Returns all figures under their names."""
        return {
            "tensors": [weight.to_json() for weight in self.weights],
            "operators": self.operators,
            "parameters": self.parameters,
            "non_zeros": self.non_zeros,
            "sparsity": self.sparsity,
            "overall_sparsity": self.overall_sparsity,
            "entropy_bytes": self.entropy_bytes,
            "macs": self.total_macs,
            "macs_by_operator": self.macs,
            "macs_uncounted": list(self.uncounted),
            "inputs": self.inputs,
            "outputs": self.outputs,
        }


def inspect(path: Path) -> Inspection:
    """Counts what a file holds.

    Raises:
        ArtifactError: the file is missing or torn.
    """
    return inspect_model(read_model(path))


def inspect_model(model: ModelFile) -> Inspection:
    """Counts what a file that has been read holds; see `inspect`."""
    weights: list[Weight] = []
    macs: Counter[str] = Counter()
    uncounted: set[str] = set()
    for subgraph in model.subgraphs:
        weights += _weights(subgraph)
        for operator in subgraph.operators:
            macs[operator.name] += count_macs(operator, subgraph.tensors)
            if operator.name in _LOOPS or _holds_unknown_kernel(subgraph, operator.name):
                uncounted.add(operator.name)
    tensors = model.main.tensors
    return Inspection(
        weights=tuple(weights),
        operators=dict(
            Counter(operator.name for graph in model.subgraphs for operator in graph.operators)
        ),
        macs={name: count for name, count in macs.items() if count},
        uncounted=tuple(sorted(uncounted)),
        inputs={model.input_names[i]: tensors[i].dtype for i in model.main.inputs},
        outputs={model.output_names[i]: tensors[i].dtype for i in model.main.outputs},
    )


def _weights(subgraph: Subgraph) -> Iterable[Weight]:
    roles = _roles(subgraph)
    for tensor in subgraph.tensors:
        role = roles.get(tensor.index)
        if tensor.data is None or role is None:
            continue
        if role == "bias" or tensor.dtype in _WEIGHT_DTYPES:
            yield _describe(tensor, role)


def _describe(tensor: Tensor, role: Role) -> Weight:
    assert tensor.data is not None
    points = tensor.zero_points if len(tensor.zero_points) else 0
    return Weight(
        name=tensor.name,
        shape=tensor.shape,
        dtype=tensor.dtype,
        role=role,
        counts=measure_tensor(tensor.data, points, tensor.quantized_dimension),
        quantized_dimension=tensor.quantized_dimension,
        scales=len(tensor.scales),
        entropy_bytes=entropy_bytes(count_values(tensor.data)),
    )


def dequantized_from(subgraph: Subgraph) -> dict[int, int]:
    """Output of each DEQUANTIZE → the tensor that it reads, as tensor indices."""
    return {
        operator.outputs[0]: operator.inputs[0]
        for operator in subgraph.operators
        if operator.name == "DEQUANTIZE"
    }


def _roles(subgraph: Subgraph) -> dict[int, Role]:
    """Role of each tensor that an operator reads; float16 ones are found behind DEQUANTIZE."""
    origin = dequantized_from(subgraph)
    roles: dict[int, Role] = {}
    for operator in subgraph.operators:
        for place, index in enumerate(operator.inputs):
            source = origin.get(index, index)
            if source < 0:
                continue
            role: Role = "other"
            if place in KERNEL_INPUTS.get(operator.name, ()):
                role = "kernel" if len(subgraph.tensors[source].shape) >= 2 else "other"
            elif place in BIAS_INPUTS.get(operator.name, ()):
                role = "bias"
            if roles.get(source, "other") == "other":
                roles[source] = role
    return roles


def kernels_by_operator(subgraph: Subgraph) -> list[tuple[str, Tensor]]:
    """Lists (operator's name, kernel), each kernel of the file once; see `Weight.role`."""
    roles, origin = _roles(subgraph), dequantized_from(subgraph)
    found: dict[int, tuple[str, Tensor]] = {}
    for operator in subgraph.operators:
        for place in KERNEL_INPUTS.get(operator.name, ()):
            index = operator.inputs[place] if place < len(operator.inputs) else -1
            source = origin.get(index, index)
            if roles.get(source) == "kernel" and subgraph.tensors[source].data is not None:
                found.setdefault(source, (operator.name, subgraph.tensors[source]))
    return list(found.values())


def _holds_unknown_kernel(subgraph: Subgraph, name: str) -> bool:
    """True if an operator that has no MAC formula reads a constant matrix of real weights."""
    if name in KERNEL_INPUTS or name in ("DEQUANTIZE", "GATHER", "EMBEDDING_LOOKUP"):
        return False
    return any(
        subgraph.tensors[index].data is not None
        and len(subgraph.tensors[index].shape) >= 2
        and subgraph.tensors[index].dtype in _WEIGHT_DTYPES
        for operator in subgraph.operators
        if operator.name == name
        for index in operator.inputs
        if index >= 0
    )
