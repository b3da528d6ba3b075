"""Reads a `.tflite` file into plain objects: tensors, operators, signature.

Specification: tensorflow/compiler/mlir/lite/schema/schema.fbs, read by the schema classes that
ai-edge-litert ships.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.compression.packing import unpack_signed
from pipeline.errors import ArtifactError

FILE_IDENTIFIER = b"TFL3"
# What the schema classes raise when offsets and lengths lead nowhere.
_TORN = (struct.error, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
# TensorType names → NumPy; what is missing here (strings, float8, …) is no weight of ours.
_DTYPES = {
    "FLOAT32": "float32",
    "FLOAT16": "float16",
    "FLOAT64": "float64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "BOOL": "bool",
}
# Types smaller than a byte: bits per element, the lowest bits first.
_PACKED_BITS = {"INT4": 4, "INT2": 2}


@dataclass(frozen=True)
class Tensor:
    """A tensor of a subgraph.

    Attributes:
        index: place in the subgraph.
        name: as the converter named it.
        shape: dimensions, batch included.
        dtype: NumPy name, or "int4", "int2", or the schema's name in lower case.
        data: the constant's elements in `shape` (int4 and int2 unpacked to int8), or None.
        scales: float32; empty when not quantized, one element, one per channel, or one per block
            of `block_size` elements in their order.
        zero_points: int64, as many as scales; none for blocks, whose zero is 0.
        quantized_dimension: the axis of per-channel scales.
        block_size: elements along the last axis that share a scale; 0: not block-wise.
        is_variable: state that persists between invokes.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    data: np.ndarray | None
    scales: np.ndarray
    zero_points: np.ndarray
    quantized_dimension: int
    block_size: int
    is_variable: bool


@dataclass(frozen=True)
class Operator:
    """One operator: its name (custom ones by their own name) and its tensors; −1 is left out."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Subgraph:
    """Tensors, operators in order of execution, and what goes in and out, as tensor indices."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class ModelFile:
    """A whole file. Subgraph 0 is the one that runs; the others are bodies of loops and branches.

    Attributes:
        subgraphs: at least one.
        input_names: tensor index → name in the signature (the tensor's own without one).
        output_names: the same for outputs.
    """

    subgraphs: tuple[Subgraph, ...]
    input_names: dict[int, str]
    output_names: dict[int, str]

    @property
    def main(self) -> Subgraph:
        """The subgraph that runs."""
        return self.subgraphs[0]

    @property
    def is_stateful(self) -> bool:
        """True if an invoke leaves something behind for the next one."""
        return any(
            tensor.is_variable or tensor.dtype == "resource"
            for subgraph in self.subgraphs
            for tensor in subgraph.tensors
        )


def read_model(path: Path) -> ModelFile:
    """Reads a `.tflite` file; constants are views into its bytes.

    Raises:
        ArtifactError: the file is missing, or is no whole TFLite file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror}; expected a .tflite file") from error
    if data[4:8] != FILE_IDENTIFIER:
        raise ArtifactError(f"{path}: no TFLite file (identifier TFL3 missing); make it again")
    try:
        return decode_model(data)
    except _TORN as error:
        raise ArtifactError(f"{path}: the TFLite file is torn ({error}); make it again") from error


def decode_model(data: bytes) -> ModelFile:
    """Reads the content of a whole `.tflite` file; see `read_model`."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(data, 0)
    types = _names_of(schema.TensorType)
    builtins = _names_of(schema.BuiltinOperator)
    codes = [
        _operator_name(model.OperatorCodes(index), builtins)
        for index in range(model.OperatorCodesLength())
    ]
    subgraphs = tuple(
        _subgraph(data, model, model.Subgraphs(index), codes, types)
        for index in range(model.SubgraphsLength())
    )
    main = subgraphs[0]
    inputs = {index: main.tensors[index].name for index in main.inputs}
    outputs = {index: main.tensors[index].name for index in main.outputs}
    for number in range(model.SignatureDefsLength()):
        signature = model.SignatureDefs(number)
        if signature.SubgraphIndex() == 0:
            _add_names(inputs, [signature.Inputs(i) for i in range(signature.InputsLength())])
            _add_names(outputs, [signature.Outputs(i) for i in range(signature.OutputsLength())])
    return ModelFile(subgraphs, inputs, outputs)


def _add_names(names: dict[int, str], entries: list[Any]) -> None:
    for entry in entries:
        names[entry.TensorIndex()] = entry.Name().decode()


def is_builtin(name: str) -> bool:
    """True for an operator of TFLite's own set, False for a custom one."""
    from ai_edge_litert import schema_py_generated as schema

    return hasattr(schema.BuiltinOperator, name) and name != "CUSTOM"


def _names_of(enumeration: Any) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


def _operator_name(code: Any, builtins: dict[int, str]) -> str:
    # Old files keep small codes in a one-byte field, new ones in both.
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    name = builtins.get(number, f"BUILTIN_{number}")
    return code.CustomCode().decode() if name == "CUSTOM" else name


def _subgraph(
    data: bytes, model: Any, source: Any, codes: list[str], types: dict[int, str]
) -> Subgraph:
    tensors = tuple(
        _tensor(data, model, source, index, types) for index in range(source.TensorsLength())
    )
    operators = []
    for index in range(source.OperatorsLength()):
        operator = source.Operators(index)
        operators.append(
            Operator(
                codes[operator.OpcodeIndex()],
                tuple(operator.Inputs(i) for i in range(operator.InputsLength())),
                tuple(operator.Outputs(i) for i in range(operator.OutputsLength())),
            )
        )
    return Subgraph(
        tensors,
        tuple(operators),
        tuple(source.Inputs(i) for i in range(source.InputsLength())),
        tuple(source.Outputs(i) for i in range(source.OutputsLength())),
    )


def _tensor(data: bytes, model: Any, subgraph: Any, index: int, types: dict[int, str]) -> Tensor:
    source = subgraph.Tensors(index)
    kind = types[source.Type()]
    shape = tuple(source.Shape(i) for i in range(source.ShapeLength()))
    scales, zero_points, dimension = _quantization(source.Quantization())
    blocks = read_block_scales(model, subgraph, source.Quantization())
    return Tensor(
        index=index,
        name=(source.Name() or b"").decode(),
        shape=shape,
        dtype=_DTYPES.get(kind, kind.lower()),
        data=_constant(data, model.Buffers(source.Buffer()), kind, shape, source.Sparsity()),
        scales=scales if blocks is None else blocks.scales.astype(np.float32),
        zero_points=zero_points,
        quantized_dimension=dimension,
        block_size=0 if blocks is None else blocks.block_size,
        is_variable=bool(source.IsVariable()),
    )


def _quantization(source: Any) -> tuple[np.ndarray, np.ndarray, int]:
    if source is None or source.ScaleLength() == 0:
        return np.zeros(0, np.float32), np.zeros(0, np.int64), 0
    scales = source.ScaleAsNumpy()
    zero_points = source.ZeroPointAsNumpy() if source.ZeroPointLength() else np.zeros_like(scales)
    return scales, zero_points.astype(np.int64), source.QuantizedDimension()


@dataclass(frozen=True)
class BlockScales:
    """Scales of a block-wise tensor, float16 in the order of its blocks, and a block's elements."""

    scales: np.ndarray
    block_size: int


def read_block_scales(model: Any, subgraph: Any, quantization: Any) -> BlockScales | None:
    """Returns the scales that a block-wise tensor keeps in another one, as a view; else None."""
    from ai_edge_litert import schema_py_generated as schema

    blockwise = schema.QuantizationDetails.BlockwiseQuantization
    if quantization is None or quantization.DetailsType() != blockwise:
        return None
    table, details = quantization.Details(), schema.BlockwiseQuantization()
    details.Init(table.Bytes, table.Pos)
    buffer = model.Buffers(subgraph.Tensors(details.Scales()).Buffer())
    return BlockScales(buffer.DataAsNumpy().view(np.float16), details.BlockSize())


def _constant(
    data: bytes, buffer: Any, kind: str, shape: tuple[int, ...], sparse: Any
) -> np.ndarray | None:
    # Files above 2 GB keep their buffers behind the flatbuffer, at an offset.
    if buffer.Offset() > 1:
        raw = np.frombuffer(data, np.uint8, buffer.Size(), buffer.Offset())
    elif buffer.DataLength():
        raw = buffer.DataAsNumpy()
    else:
        return None
    if sparse is not None:
        raise ValueError("a tensor is stored in TFLite's sparse form, expected a dense one")
    count = int(np.prod(shape, dtype=np.int64))
    if kind in _PACKED_BITS:
        return unpack_signed(raw, _PACKED_BITS[kind], count).reshape(shape)
    if kind not in _DTYPES:
        return None
    return raw.view(_DTYPES[kind]).reshape(shape)
