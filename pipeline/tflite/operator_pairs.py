"""Two operators, one right behind the other: what goes in, and what comes out."""

from __future__ import annotations

from pipeline.tflite.flatbuffer import Subgraph


def find_pairs(graph: Subgraph, first: str, second: str) -> dict[int, int]:
    """Returns what each `second` makes of what a `first` made → what that one read.

    Args:
        graph: whose operators are looked at.
        first, second: names of operators of one input and one output.
    """
    read = {op.outputs[0]: op.inputs[0] for op in graph.operators if op.name == first}
    return {
        op.outputs[0]: read[op.inputs[0]]
        for op in graph.operators
        if op.name == second and op.inputs[0] in read
    }
