"""What goes into the first of two operators, by what comes out of the second."""

from __future__ import annotations

from pipeline.tflite.flatbuffer import Operator, Subgraph
from pipeline.tflite.operator_pairs import find_pairs


def test_only_one_right_behind_the_other_counts() -> None:
    operators = (
        Operator("DEQUANTIZE", (0,), (1,)),
        Operator("QUANTIZE", (1,), (2,)),
        Operator("QUANTIZE", (1,), (3,)),
        Operator("TANH", (1,), (4,)),
        Operator("QUANTIZE", (4,), (5,)),
        Operator("DEQUANTIZE", (5,), (6,)),
    )
    graph = Subgraph((), operators, (0,), (6,))
    assert find_pairs(graph, "DEQUANTIZE", "QUANTIZE") == {2: 0, 3: 0}
    assert find_pairs(graph, "QUANTIZE", "DEQUANTIZE") == {6: 4}
    assert find_pairs(graph, "TANH", "DEQUANTIZE") == {}
