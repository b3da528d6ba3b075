"""Multiply-accumulates of an operator, from the shapes of its tensors."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from pipeline.tflite.flatbuffer import Operator, Tensor

# Where an operator keeps its kernels and its bias among its inputs.
KERNEL_INPUTS: dict[str, tuple[int, ...]] = {
    "FULLY_CONNECTED": (1,),
    "CONV_2D": (1,),
    "CONV_3D": (1,),
    "DEPTHWISE_CONV_2D": (1,),
    "TRANSPOSE_CONV": (1,),
    "BATCH_MATMUL": (0, 1),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (1, 2, 3, 4, 5, 6, 7, 8),
    "UNIDIRECTIONAL_SEQUENCE_RNN": (1, 2),
}
BIAS_INPUTS: dict[str, tuple[int, ...]] = {
    "FULLY_CONNECTED": (2,),
    "CONV_2D": (2,),
    "CONV_3D": (2,),
    "DEPTHWISE_CONV_2D": (2,),
    "TRANSPOSE_CONV": (3,),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (12, 13, 14, 15),
    "UNIDIRECTIONAL_SEQUENCE_RNN": (3,),
}


def count_macs(operator: Operator, tensors: Sequence[Tensor]) -> int:
    """Counts the multiply-accumulates of one invoke of an operator; zeros are not left out.

    Kernels are stored as FULLY_CONNECTED (out, in), CONV_2D (out, h, w, in per group),
    DEPTHWISE_CONV_2D (1, h, w, out), TRANSPOSE_CONV (out, h, w, in), CONV_3D (d, h, w, in, out).

    Args:
        operator: any operator.
        tensors: those of its subgraph.

    Returns:
        The count; 0 for operators that are not in `KERNEL_INPUTS`.
    """
    if operator.name not in KERNEL_INPUTS:
        return 0
    kernels = [
        tensors[operator.inputs[place]].shape
        for place in KERNEL_INPUTS[operator.name]
        if place < len(operator.inputs) and operator.inputs[place] >= 0
    ]
    first = tensors[operator.inputs[0]].shape
    outputs = prod(tensors[operator.outputs[0]].shape)
    match operator.name:
        case "FULLY_CONNECTED" | "CONV_2D":
            return outputs * prod(kernels[0][1:])
        case "DEPTHWISE_CONV_2D":
            return outputs * prod(kernels[0][1:3])
        case "CONV_3D":
            return outputs * prod(kernels[0][:4])
        case "TRANSPOSE_CONV":
            # Every input element meets the whole kernel: inputs are (output shape, kernel, x).
            return prod(tensors[operator.inputs[2]].shape) * prod(kernels[0][:3])
        case "BATCH_MATMUL":
            return _batch_matmul(kernels[0], kernels[1], outputs)
        case _:
            # Recurrent layers: each matrix once per sample and time step.
            return prod(first[:2]) * sum(prod(shape) for shape in kernels)


def _batch_matmul(left: tuple[int, ...], right: tuple[int, ...], outputs: int) -> int:
    """Outputs times the summed dimension, whichever way the matrices are stored.

    With a left matrix of r·k elements and a right one of k·c, and r·c outputs:
    k² = (r·k)(k·c) / (r·c), which spares reading the transposition flags.
    """
    rows_columns = outputs // max(1, prod(left[:-2]), prod(right[:-2]))
    squared = prod(left[-2:]) * prod(right[-2:]) // rows_columns
    return outputs * round(squared**0.5)
