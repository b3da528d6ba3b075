"""Mends biases that are too large for their kernels' scales, in files of ai-edge-quantizer 0.10.0.

A bias has the scale of its products, input scale · kernel scale. A channel whose weights are all
zero, or next to it, gets a kernel scale next to 0 and a bias beyond int32, which is cut off: a unit
that answers with a constant answers with 0. The converter of tensorflow 2.21.0 makes such a kernel
scale so large that the bias is 2³⁰; here that is done after the fact, and the weights are rounded
to it. For int4 kernels 2³⁰ is too much: ai-edge-litert 2.3.0 (XNNPACK) sums sixteenfold products
there, and answers 0 for a bias of 2³⁰.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.compression.packing import pack_signed
from pipeline.tflite.constants import write_constant
from pipeline.tflite.flatbuffer import ModelFile, Operator, decode_model
from pipeline.tflite.macs import BIAS_INPUTS, KERNEL_INPUTS
from pipeline.tflite.unpacked import pack, unpack

# Of a bias, by the type of the kernel.
LARGEST_BIAS = {"int8": 2**30, "int4": 2**26}
# What ai-edge-quantizer adds to the name of a bias that a second call of its layer reads.
_COPY = re.compile(r"_duplicated_\d+$")
_ROUNDED = 1.01  # a mended bias is off by the rounding of its scale


def mend_bias_range(content: bytes, in_float: bytes) -> bytes:
    """Gives channels with too large a bias a kernel scale that the bias fits.

    Args:
        content: a quantized file; scales may be 0, see `zero_scales`.
        in_float: the float file that it was made of; tensors have the same names.

    Returns:
        The file anew; the same bytes where no bias is too large.
    """
    model = decode_model(content)
    kernels = {
        _kernel_and_bias(operator)[0]
        for operator in model.main.operators
        if _is_too_large(model, operator)
    }
    if not kernels:
        return content
    biases = {t.name: t.data for t in decode_model(in_float).main.tensors if t.data is not None}
    whole = unpack(content)
    for kernel in sorted(kernels):
        # Every call of a layer has the same kernel; a bias has the scale of its own inputs.
        calls = {
            bias: (
                float(model.main.tensors[operator.inputs[0]].scales[0]),
                biases[_COPY.sub("", model.main.tensors[bias].name)].astype(np.float64),
            )
            for operator in model.main.operators
            for own, bias in [_kernel_and_bias(operator)]
            if own == kernel and bias >= 0
        }
        _widen(whole, model, kernel, calls)
    return pack(whole, len(content))


def _kernel_and_bias(operator: Operator) -> tuple[int, int]:
    """Returns the tensors of a kernel and its bias; −1 where there is none."""
    if operator.name not in BIAS_INPUTS or len(BIAS_INPUTS[operator.name]) > 1:
        return -1, -1
    place = BIAS_INPUTS[operator.name][0]
    bias = operator.inputs[place] if place < len(operator.inputs) else -1
    return operator.inputs[KERNEL_INPUTS[operator.name][0]], bias


def _is_too_large(model: ModelFile, operator: Operator) -> bool:
    kernel, bias = _kernel_and_bias(operator)
    if bias < 0 or model.main.tensors[bias].dtype != "int32":
        return False
    codes, largest = model.main.tensors[bias].data, LARGEST_BIAS.get(_dtype(model, kernel))
    if codes is None or largest is None:
        return False
    return bool((np.abs(codes.astype(np.int64)) > _ROUNDED * largest).any())


def _dtype(model: ModelFile, index: int) -> str:
    return model.main.tensors[index].dtype


def _widen(
    whole: Any, model: ModelFile, kernel: int, calls: Mapping[int, tuple[float, np.ndarray]]
) -> None:
    """Sets scales and codes of a kernel and its biases anew.

    Args:
        whole: the unpacked file; changed in place.
        model: the file as it was.
        kernel: index of the tensor.
        calls: index of a bias → scale of the inputs, float64 (outputs,) the bias in float.
    """
    stored, tensors = model.main.tensors[kernel], whole.subgraphs[0].tensors
    assert stored.data is not None
    old = new = stored.scales.astype(np.float64)
    for step, real in calls.values():
        needed = np.abs(real) / (LARGEST_BIAS[stored.dtype] * step)
        new = np.maximum(new, needed if len(old) > 1 else needed.max())
    new = new.astype(np.float32).astype(np.float64)
    shape = [1] * len(stored.shape)
    if len(old) > 1:
        shape[stored.quantized_dimension] = len(old)
    # A scale that is still 0 is of a channel of zeros with a bias of 0.
    ratio = np.divide(old, new, out=np.zeros_like(old), where=new > 0)
    codes = np.rint(stored.data * ratio.reshape(shape)).astype(np.int8)
    write_constant(
        whole, tensors[kernel], pack_signed(codes.ravel(), 4) if stored.dtype == "int4" else codes
    )
    tensors[kernel].quantization.scale = new.astype(np.float32)
    for bias, (step, real) in calls.items():
        scales = np.broadcast_to(new * step, real.shape)
        steps = np.divide(real, scales, out=np.zeros_like(real), where=scales > 0)
        write_constant(whole, tensors[bias], np.rint(steps).astype(np.int32))
        tensors[bias].quantization.scale = (new * step).astype(np.float32)
