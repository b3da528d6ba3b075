"""Converts again while a SPLIT that could be integer is left in float32.

tensorflow 2.21.0 goes by the places of things in memory: of 15 conversions of one masked LSTM, 1
to 6 had the SPLIT of the last step's gates in float32, between a DEQUANTIZE and four QUANTIZEs.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.tflite.flatbuffer import decode_model
from pipeline.tflite.float_operators import find_float_operators

# If 6 of 15 fail, one in 25,000 fails this often.
TRIALS = 11


def without_float_splits(convert: Callable[[], bytes]) -> bytes:
    """Returns the first file without such a SPLIT, or the last of TRIALS.

    Args:
        convert: makes an integer file.
    """
    for _ in range(TRIALS):
        content = convert()
        found = find_float_operators(decode_model(content))
        if all(operator.operator != "SPLIT" for operator in found):
            break
    return content
