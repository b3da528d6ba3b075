"""The line that is shown out of a converter's chatter."""

from __future__ import annotations

import pytest

from pipeline.tflite.reasons import last_meaningful_line

# Shortened from TensorFlow 2.21.0.
NO_KERNEL = """Could not translate MLIR to FlatBuffer. UNKNOWN: <unknown>:0: error: loc(x): 'tf.Det'
<unknown>:0: note: loc("y"): Error code: ERROR_NEEDS_FLEX_OPS
<unknown>:0: error: failed while converting: 'main':
Some ops are not supported by the native TFLite runtime, you can enable TF kernels fallback
TF Select ops: MatrixDeterminant, Erf
Details:
\ttf.MatrixDeterminant(tensor<1x2x2xf32>) -> (tensor<1xf32>) : {device = ""}
"""


PLACE = (
    '<unknown>:0: error: loc(callsite(fused["{0}:", "model_1/{1}/{0}@__inference_serve_5"] at '
    "x)): 'tf.{0}' op is neither a custom op nor a flex op\n"
)
IN_A_LAYER = PLACE.format("Erf", "block_1/odd_1/erf") * 2 + "TF Select ops: Erf, Sort\n"
IN_MANY = "".join(PLACE.format("Erf", f"odd_{n}") for n in range(5)) + "Custom ops: Erf\n"
BARE = IN_A_LAYER.replace("/block_1/odd_1/erf", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (IN_A_LAYER, "no TFLite kernel for Erf (in scope block_1/odd_1/erf), Sort"),
        (IN_MANY, "no TFLite kernel for Erf (in scope odd_0, odd_1, odd_2 and 2 more)"),
        (BARE, "no TFLite kernel for Erf, Sort"),
        (NO_KERNEL, "no TFLite kernel for MatrixDeterminant, Erf"),
        ("Traceback (most recent call last):\n  File 'x'\nValueError: bad\n\n", "ValueError: bad"),
        ("real reason\nI0000 00:00 cudart_stub.cc:31] no GPU\n", "real reason"),
        ("colour \x1b[31m and\ttab", "colour  [31m and tab"),
        ("", ""),
        ("INFO: only chatter", ""),
        ("x" * 1000, "x" * 300),
    ],
)
def test_last_meaningful_line(text: str, expected: str) -> None:
    assert last_meaningful_line(text) == expected
