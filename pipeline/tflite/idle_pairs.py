"""Takes out a DEQUANTIZE and the QUANTIZE behind it that gives back the same integers.

After quantization-aware training the converter (tensorflow 2.21.0) leaves such a pair at the input
of a file where no emulated quantizer tells the range of what the first convolution writes: a float
copy of the input, four times as large, for nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.tflite.flatbuffer import Subgraph, Tensor, decode_model
from pipeline.tflite.operator_pairs import find_pairs
from pipeline.tflite.unpacked import pack, unpack

# No integer of 16 bits is rounded to another by a factor that is so near to 1.
SAME_SCALE = 1e-6


def drop_idle_pairs(content: bytes) -> bytes:
    """Has those that read what the pair makes read what the pair is given.

    Args:
        content: a whole `.tflite` file.

    Returns:
        The file anew; the same bytes where there is no such pair.
    """
    main = decode_model(content).main
    same = find_idle_pairs(main)
    if not same:
        return content
    model = unpack(content)
    graph = model.subgraphs[0]
    for operator in graph.operators:
        operator.inputs = [same.get(int(index), int(index)) for index in operator.inputs]
    graph.operators = [op for op in graph.operators if int(op.outputs[0]) not in same]
    read = {int(index) for op in graph.operators for index in op.inputs} | set(main.outputs)
    floats = {op.outputs[0] for op in main.operators if op.name == "DEQUANTIZE"} - read
    graph.operators = [op for op in graph.operators if int(op.outputs[0]) not in floats]
    _drop_unused_codes(model)
    return pack(model, len(content))


def find_idle_pairs(graph: Subgraph) -> dict[int, int]:
    """Returns what each such QUANTIZE makes → what its DEQUANTIZE reads.

    One that makes an output of the file stays: the signature names that very tensor.
    """
    tensors = graph.tensors
    return {
        made: given
        for made, given in find_pairs(graph, "DEQUANTIZE", "QUANTIZE").items()
        if made not in graph.outputs and _are_alike(tensors[made], tensors[given])
    }


def _are_alike(one: Tensor, other: Tensor) -> bool:
    return (
        one.dtype == other.dtype
        and one.scales.shape == other.scales.shape
        and np.allclose(one.scales, other.scales, rtol=SAME_SCALE, atol=0)
        and np.array_equal(one.zero_points, other.zero_points)
    )


def _drop_unused_codes(model: Any) -> None:
    """A runtime may look for the kernel of each code, also of one that no operator has."""
    used = sorted({op.opcodeIndex for graph in model.subgraphs for op in graph.operators})
    model.operatorCodes = [model.operatorCodes[index] for index in used]
    for graph in model.subgraphs:
        for operator in graph.operators:
            operator.opcodeIndex = used.index(operator.opcodeIndex)
