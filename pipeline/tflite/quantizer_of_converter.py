"""The converter's own int8 quantizer, told to leave single operators in float, or replaced.

tensorflow 2.21.0 lets no one but its QuantizationDebugger hand it a list of operators to leave
out, and calls it by a name in `tensorflow.lite.python.lite`, which is replaced for a while here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipeline.tflite.flatbuffer import decode_model
from pipeline.tflite.layer_schemes import LayerSchemes

# names of the outputs of operators that stay in float → the quantized file
DenyingQuantizer = Callable[[Sequence[str]], bytes]


@contextmanager
def quantizer_replaced(replacement: Callable[[DenyingQuantizer, bytes], bytes]) -> Iterator[None]:
    """Has the converter call `replacement` for int8 files: (its own quantizer, calibrated file)."""
    from tensorflow.lite.python import lite

    original = lite._mlir_quantize

    def called(calibrated: bytes, *arguments: Any, **settings: Any) -> bytes:
        def quantize(denied: Sequence[str]) -> bytes:
            names = list(denied) or None
            return bytes(original(calibrated, *arguments, denylisted_nodes=names, **settings))

        return replacement(quantize, bytes(calibrated))

    lite._mlir_quantize = called
    try:
        yield
    finally:
        lite._mlir_quantize = original


def float_outputs(calibrated: bytes, layers: LayerSchemes) -> list[str]:
    """Returns the names of the outputs of the operators that stay in float.

    Args:
        calibrated: the float file that is quantized.
        layers: exceptions; those of scheme float32 count.
    """
    model = decode_model(calibrated)
    return [
        model.main.tensors[index].name
        for operator, scheme in zip(model.main.operators, layers.of_operators(model), strict=True)
        if scheme == "float32"
        for index in operator.outputs
    ]
