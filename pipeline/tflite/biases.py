"""Writes other biases into a quantized `.tflite` file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.tflite.constants import write_constant
from pipeline.tflite.macs import BIAS_INPUTS
from pipeline.tflite.unpacked import pack, unpack


def add_to_biases(content: bytes, shifts: Mapping[int, np.ndarray]) -> bytes:
    """Adds real numbers to the biases of operators of the main subgraph.

    A bias has the scale of its products, input scale · kernel scale, so that the addition is
    rounded to far less than a step of the outputs.

    Args:
        content: a whole file.
        shifts: place of an operator (convolution, dense) → float (outputs,). One without a bias
            gets one, int32, or int64 where its inputs are int16.

    Returns:
        The file anew.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = unpack(content)
    main = model.subgraphs[0]
    for number, shift in shifts.items():
        operator = main.operators[number]
        bias = main.tensors[_bias_index(model, operator)]
        dtype = np.dtype(np.int64 if bias.type == schema.TensorType.INT64 else np.int32)
        stored = model.buffers[bias.buffer].data.view(dtype).astype(np.float64)
        steps = np.rint(shift / np.asarray(bias.quantization.scale, np.float64))
        # A channel of zeros may have a scale next to 0: the largest bias is as good as a larger.
        limits = np.iinfo(np.int32)
        codes = np.clip(stored + steps, limits.min, limits.max).astype(dtype)
        write_constant(model, bias, codes)
    return pack(model, len(content))


def _bias_index(model: Any, operator: Any) -> int:
    """Returns the tensor of an operator's bias; makes one of zeros if there is none."""
    from ai_edge_litert import schema_py_generated as schema

    main = model.subgraphs[0]
    codes = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
    name = codes[model.operatorCodes[operator.opcodeIndex].builtinCode]
    place = BIAS_INPUTS[name][0]
    inputs = [int(index) for index in operator.inputs]
    inputs += [-1] * (place + 1 - len(inputs))
    if inputs[place] < 0:
        inputs[place] = len(main.tensors)
        main.tensors.append(_zero_bias(model, inputs[0], inputs[1]))
        operator.inputs = inputs
    return inputs[place]


def _zero_bias(model: Any, source: int, weights: int) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    tensors = model.subgraphs[0].tensors
    kernel = tensors[weights]
    scales = np.asarray(kernel.quantization.scale, np.float32)
    scales = scales * np.float32(tensors[source].quantization.scale[0])
    bias = schema.TensorT()
    bias.name = kernel.name + b"/bias_correction"
    wide = tensors[source].type == schema.TensorType.INT16
    bias.type = schema.TensorType.INT64 if wide else schema.TensorType.INT32
    bias.shape = [int(kernel.shape[0])]
    bias.buffer = len(model.buffers)
    model.buffers.append(_buffer(schema, np.zeros(bias.shape, np.int64 if wide else np.int32)))
    bias.quantization = schema.QuantizationParametersT()
    bias.quantization.scale = scales
    bias.quantization.zeroPoint = np.zeros(len(scales), np.int64)
    bias.quantization.quantizedDimension = 0
    return bias


def _buffer(schema: Any, values: np.ndarray) -> Any:
    buffer = schema.BufferT()
    buffer.data = values.view(np.uint8)
    return buffer
