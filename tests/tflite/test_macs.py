"""Multiply-accumulates worked out by hand for each operator."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.tflite.flatbuffer import Operator, Tensor
from pipeline.tflite.macs import count_macs


def _count(name: str, inputs: list[tuple[int, ...] | None], output: tuple[int, ...]) -> int:
    shapes = [*inputs, output]
    nothing = np.zeros(0)
    tensors = [
        Tensor(i, "", shape or (), "float32", None, nothing, nothing, 0, 0, False)
        for i, shape in enumerate(shapes)
    ]
    places = tuple(-1 if shape is None else i for i, shape in enumerate(inputs))
    return count_macs(Operator(name, places, (len(inputs),)), tensors)


@pytest.mark.parametrize(
    ("name", "inputs", "output", "expected"),
    [
        ("FULLY_CONNECTED", [(1, 5), (3, 5), (3,)], (1, 3), 15),
        ("FULLY_CONNECTED", [(2, 5), (3, 5), None], (2, 3), 30),
        # 4·4·8 outputs, each 3·3·2.
        ("CONV_2D", [(1, 4, 4, 2), (8, 3, 3, 2), (8,)], (1, 4, 4, 8), 128 * 18),
        # Grouped: 2 of 4 input channels per filter.
        ("CONV_2D", [(1, 4, 4, 4), (8, 3, 3, 2), (8,)], (1, 4, 4, 8), 128 * 18),
        ("DEPTHWISE_CONV_2D", [(1, 4, 4, 8), (1, 3, 3, 8), (8,)], (1, 4, 4, 8), 128 * 9),
        # 2·2 inputs of 3 channels meet 5·3·3 weights each.
        ("TRANSPOSE_CONV", [(4,), (5, 3, 3, 3), (1, 2, 2, 3)], (1, 4, 4, 5), 4 * 3 * 5 * 9),
        ("CONV_3D", [(1, 4, 4, 4, 2), (3, 3, 3, 2, 8)], (1, 2, 2, 2, 8), 64 * 54),
        # (2, 6, 4) @ (2, 4, 5); and with the right one stored transposed.
        ("BATCH_MATMUL", [(2, 6, 4), (2, 4, 5)], (2, 6, 5), 240),
        ("BATCH_MATMUL", [(2, 6, 4), (2, 5, 4)], (2, 6, 5), 240),
        ("BATCH_MATMUL", [(2, 6, 4), (4, 5)], (2, 6, 5), 240),
        # 6 steps of 4 gates of (5×3 + 5×5).
        (
            "UNIDIRECTIONAL_SEQUENCE_LSTM",
            [(1, 6, 3), *[(5, 3)] * 4, *[(5, 5)] * 4],
            (1, 6, 5),
            6 * 4 * 40,
        ),
        ("ADD", [(1, 4), (1, 4)], (1, 4), 0),
    ],
)
def test_count_macs(
    name: str, inputs: list[tuple[int, ...] | None], output: tuple[int, ...], expected: int
) -> None:
    assert _count(name, inputs, output) == expected
