"""Mends what tensorflow 2.21.0 gets wrong about the scales of an int8 LSTM.

UNIDIRECTIONAL_SEQUENCE_LSTM keeps two tensors between its steps: the output state (int8) and the
cell state (int16, scale a power of two). Mean difference from Keras relative to the spread of the
outputs, LSTM(5) with random weights, before and after:

    1. Cells that stay within ±0.5 get a scale of 2^-16. The kernel computes tanh of fixed-point
       numbers with 15 + log2(scale) integer bits, has no form for −1 and computes nothing. 2^-15
       is the smallest scale that works. Two stacked layers: 1.75 → 0.02.
    2. The kernel writes its outputs in the scale of the output state. Where an operator behind
       the layer asks for another scale (CONCATENATION: one for all), only the output's is
       changed. Bidirectional: 0.80 → 0.01.
    3. Where a REVERSE_V2 is in between, only that one's output is changed, though it copies
       values as they are. Bidirectional with sequences: 0.37 → 0.01.

These scales appear in no stored constant: the kernel's multipliers are derived from them when
the file is loaded. So they are mended in place, and nothing else in the file moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"
SMALLEST_CELL_SCALE = 2.0**-15
# Operators that copy stored values without a look at their scale.
_COPIES = ("REVERSE_V2", "RESHAPE", "STRIDED_SLICE", "TRANSPOSE")
# Places among the operator's inputs and intermediate tensors, by its specification.
_OUTPUT_STATE, _CELL_STATE, _HIDDEN = 18, 19, 4


def mend_lstm_scales(content: bytes) -> bytes:
    """Gives each int8 LSTM scales that its kernel and the operators behind it can work with.

    Args:
        content: a whole `.tflite` file as the converter made it.

    Returns:
        The same file, of the same length; the same bytes where there is nothing to mend.
    """
    data = bytearray(content)
    copies = list(_operators(data, *_COPIES)) if keeps_state(content) else []
    for subgraph, operator in _operators(data, LSTM):
        cell = subgraph.Tensors(operator.Inputs(_CELL_STATE)).Quantization()
        if cell is None or cell.ScaleLength() == 0:
            continue  # computes in float
        scale = cell.ScaleAsNumpy()
        scale[:] = scale.clip(min=SMALLEST_CELL_SCALE)
        _take_scale_of_copies(subgraph, operator.Outputs(0), [copy for _, copy in copies])
        for index in (operator.Inputs(_OUTPUT_STATE), operator.Intermediates(_HIDDEN)):
            _take_scale(subgraph, index, operator.Outputs(0))
    return bytes(data)


def keeps_state(content: bytes) -> bool:
    """True if a file holds an LSTM operator, whose state outlives an invoke."""
    return any(True for _ in _operators(content, LSTM))


def _take_scale_of_copies(subgraph: Any, index: int, copies: list[Any]) -> None:
    for copy in copies:
        if copy.Inputs(0) == index:
            _take_scale_of_copies(subgraph, copy.Outputs(0), copies)
            _take_scale(subgraph, index, copy.Outputs(0))


def _take_scale(subgraph: Any, index: int, source: int) -> None:
    target, given = (subgraph.Tensors(place).Quantization() for place in (index, source))
    target.ScaleAsNumpy()[:] = given.ScaleAsNumpy()
    target.ZeroPointAsNumpy()[:] = given.ZeroPointAsNumpy()


def _operators(data: bytes | bytearray, *names: str) -> Iterator[tuple[Any, Any]]:
    """Yields (subgraph, operator) of these names; views, writable if `data` is a bytearray."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(data, 0)
    codes = {getattr(schema.BuiltinOperator, name) for name in names}
    wanted = [
        model.OperatorCodes(index).BuiltinCode() in codes
        for index in range(model.OperatorCodesLength())
    ]
    # Loops have subgraphs of their own, with tensors of their own; no LSTM operator is in one.
    subgraph = model.Subgraphs(0)
    for index in range(subgraph.OperatorsLength()):
        operator = subgraph.Operators(index)
        if wanted[operator.OpcodeIndex()]:
            yield subgraph, operator
