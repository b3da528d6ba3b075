"""Ranges of averages: AVERAGE_POOL_2D has one scale, and what it averages must fit into it.

Where averages are joined with other tensors, as between the blocks of a DenseNet, the converter
takes the range of what is joined for what is averaged as well, and clips it (tensorflow 2.21.0).
"""

from __future__ import annotations

from pipeline.tflite.calibration import calibrated_ranges
from pipeline.tflite.flatbuffer import decode_model

AVERAGE = "AVERAGE_POOL_2D"
# Operators that have one scale for all they read and write.
ONE_SCALE = frozenset(
    {
        "CONCATENATION", "EXPAND_DIMS", "GATHER", "MAXIMUM", "MAX_POOL_2D", "MINIMUM", "MIRROR_PAD",
        "PACK", "PAD", "PADV2", "REDUCE_MAX", "RESHAPE", "RESIZE_NEAREST_NEIGHBOR", "SELECT_V2",
        "SLICE", "SPLIT", "SQUEEZE", "STRIDED_SLICE", "TILE", "TRANSPOSE", "UNPACK",
    }
)  # fmt: skip


def widen_averages(content: bytes) -> bytes:
    """Gives averages, and what has one scale with them, the range of what they are averages of.

    Args:
        content: a float `.tflite` file with "min" and "max" of each activation.

    Returns:
        The same file, of the same length.
    """
    data = bytearray(content)
    ranges = calibrated_ranges(data)
    averages: set[int] = set()
    for operator in decode_model(content).main.operators:
        read = [index for index in operator.inputs if index in ranges]
        passes = operator.name in ONE_SCALE and averages.intersection(read)
        if operator.name != AVERAGE and not passes:
            continue
        averages.update(operator.outputs)
        for low, high in (ranges[index] for index in operator.outputs if index in ranges):
            low[:] = min(low[0], *(ranges[index][0][0] for index in read))
            high[:] = max(high[0], *(ranges[index][1][0] for index in read))
    return bytes(data)
