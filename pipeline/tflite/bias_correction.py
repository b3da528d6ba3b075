"""Bias correction: what a quantized layer is off by on average is taken out of its bias.

Rounding a kernel shifts the mean of a layer's outputs, channel by channel, and so does what the
layers before it are off by. Both are measured on samples and put into the bias, from the first
layer to the last, each after those before it (Nagel et al. 2019, arXiv 1906.04721, section 4.2,
the empirical form of appendix D). The means are those before the activation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.compression.expected_outputs import (
    Windows,
    expected_convolution,
    expected_dense,
    expected_depthwise,
)
from pipeline.compression.histograms import dequantize
from pipeline.errors import PromiseError
from pipeline.tflite.flatbuffer import ModelFile, Operator, Tensor, decode_model
from pipeline.tflite.macs import BIAS_INPUTS, KERNEL_INPUTS
from pipeline.tflite.mean_tensors import mean_tensors

CORRECTABLE = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_FLOATS = ("float32", "float16")
_LARGEST_INT4 = 7


@dataclass(frozen=True)
class Uncorrected:
    """An operator with a kernel whose bias stays as it is: its kind, its output, and why."""

    operator: str
    tensor: str
    reason: str

    def __str__(self) -> str:
        return f"{self.operator} {self.tensor!r}: {self.reason}"


def find_uncorrected(model: ModelFile) -> tuple[Uncorrected, ...]:
    """Lists the operators with kernels that bias correction leaves alone, bodies of loops too.

    Args:
        model: an int8 or int16x8 file.
    """
    found = []
    for number, subgraph in enumerate(model.subgraphs):
        for operator in subgraph.operators:
            reason = _reason(model, operator) if number == 0 else "is inside a loop"
            if operator.name in KERNEL_INPUTS and reason:
                tensor = subgraph.tensors[operator.outputs[0]]
                found.append(Uncorrected(operator.name, tensor.name, reason))
    return tuple(found)


def _reason(model: ModelFile, operator: Operator) -> str:
    if operator.name not in CORRECTABLE:
        return "has no bias of one number per output"
    tensors = model.main.tensors
    if tensors[operator.inputs[1]].data is None:
        return "multiplies two activations"
    if tensors[operator.outputs[0]].dtype in _FLOATS:
        return "computes in float"
    bias = bias_index(operator)
    readers = [one for one in model.main.operators if bias >= 0 and bias in one.inputs]
    return "shares its bias with another call" if len(readers) > 1 else ""


def bias_index(operator: Operator) -> int:
    """Returns the tensor that holds an operator's bias; −1: it has none."""
    place = BIAS_INPUTS[operator.name][0]
    return operator.inputs[place] if place < len(operator.inputs) else -1


def correct_biases(
    content: bytes, in_float: bytes, batches: Sequence[Mapping[str, np.ndarray]]
) -> bytes:
    """Corrects the bias of each convolution and dense layer of a quantized file.

    Args:
        content: an int8 or int16x8 `.tflite` file.
        in_float: the float file that the quantizer made it of.
        batches: real values by input name, each a whole batch.

    Returns:
        The file with other biases; a layer that had none has one now.

    Raises:
        PromiseError: an operator has no counterpart in the float file.
    """
    from pipeline.tflite.biases import add_to_biases

    float_model = decode_model(in_float)
    model = decode_model(content)
    pairs = match_operators(model, float_model)
    reads = [float_model.main.operators[other].inputs[0] for other in pairs.values()]
    expected = mean_tensors(in_float, reads, batches)
    windows = read_windows(content)
    for numbers in _in_rounds(model, list(pairs)):
        reads = [model.main.operators[number].inputs[0] for number in numbers]
        means = mean_tensors(content, reads, batches)
        shifts = {}
        for number in numbers:
            operator, other = (
                model.main.operators[number],
                float_model.main.operators[pairs[number]],
            )
            promised = _mean_output(float_model, other, expected, windows[number])
            shifts[number] = promised - _mean_output(model, operator, means, windows[number])
        content = add_to_biases(content, shifts)
        model = decode_model(content)
    return content


def match_operators(model: ModelFile, in_float: ModelFile) -> dict[int, int]:
    """Finds the float counterpart of each operator whose bias can be corrected.

    Args:
        model: the quantized file.
        in_float: the float file.

    Returns:
        Place of the operator → place in the float file, rising; matched by kind and order, which
        the kernels confirm: each weight is less than a step from the float one.

    Raises:
        PromiseError: a kernel differs.
    """
    pairs: dict[int, int] = {}
    for kind in CORRECTABLE:
        here, there = (
            [
                number
                for number, operator in enumerate(one.main.operators)
                if operator.name == kind and one.main.tensors[operator.inputs[1]].data is not None
            ]
            for one in (model, in_float)
        )
        if len(here) != len(there):
            raise PromiseError(
                f"bias correction: {len(here)} {kind} in the quantized file, {len(there)} in the "
                "float one, promised as many; leave quantize.bias_correction out"
            )
        for number, other in zip(here, there, strict=True):
            if not _reason(model, model.main.operators[number]):
                _require_rounded(model, number, in_float, other)
                pairs[number] = other
    return dict(sorted(pairs.items()))


def _require_rounded(model: ModelFile, number: int, in_float: ModelFile, other: int) -> None:
    stored = model.main.tensors[model.main.operators[number].inputs[1]]
    kernel = in_float.main.tensors[in_float.main.operators[other].inputs[1]]
    shape = [1] * len(stored.shape)
    if len(stored.scales) > 1:
        shape[stored.quantized_dimension] = len(stored.scales)
    # Half a step, and another half where scales were rounded to powers of two afterwards.
    step = stored.scales.reshape(shape)
    fits = stored.shape == kernel.shape and np.all(
        (
            np.abs(real_values(stored, stored.data) - real_values(kernel, kernel.data))
            <= step * (1 + 1e-3)
        )
        | _cut_off(stored, real_values(kernel, kernel.data))
    )
    if not fits:
        raise PromiseError(
            f"bias correction: kernel {stored.name!r} {stored.shape} is not {kernel.name!r} "
            f"{kernel.shape} rounded, promised the same layer; leave quantize.bias_correction out"
        )


def _cut_off(stored: Tensor, kernel: np.ndarray) -> np.ndarray | bool:
    """Marks weights beyond the range of their scale, as octav leaves some of int4 kernels."""
    if stored.dtype != "int4" or stored.data is None:
        return False
    outermost = np.abs(stored.data) >= _LARGEST_INT4
    return outermost & (np.sign(stored.data) == np.sign(kernel))


def _in_rounds(model: ModelFile, numbers: Sequence[int]) -> Iterable[list[int]]:
    """Groups operators so that all before each of a group are in groups before it."""
    depth: dict[int, int] = {}  # of tensors: operators of `numbers` on the longest way to it
    rounds: dict[int, list[int]] = {}
    for number, operator in enumerate(model.main.operators):
        before = max((depth.get(index, 0) for index in operator.inputs), default=0)
        if number in numbers:
            rounds.setdefault(before, []).append(number)
        for index in operator.outputs:
            depth[index] = before + (number in numbers)
    return [rounds[before] for before in sorted(rounds)]


def real_values(tensor: Tensor, stored: np.ndarray | None) -> np.ndarray:
    """The real numbers that a tensor's stored values stand for, float64."""
    assert stored is not None  # callers ask for constants and for what an interpreter holds
    return dequantize(stored, tensor.scales, tensor.zero_points, tensor.quantized_dimension)


def _mean_output(
    model: ModelFile, operator: Operator, means: Mapping[int, np.ndarray], windows: Windows
) -> np.ndarray:
    """Returns float64 (outputs,), before the activation."""
    tensor = model.main.tensors[operator.inputs[1]]
    kernel, mean_input = real_values(tensor, tensor.data), means[operator.inputs[0]]
    bias = bias_index(operator)
    added = model.main.tensors[bias] if bias >= 0 else None
    constant = 0.0 if added is None else real_values(added, added.data)
    if operator.name == "FULLY_CONNECTED":
        return expected_dense(mean_input, kernel) + constant
    if operator.name == "CONV_2D":
        return expected_convolution(mean_input, kernel, windows) + constant
    return expected_depthwise(mean_input, kernel, windows) + constant


def read_windows(content: bytes) -> dict[int, Windows]:
    """Returns the steps of each convolution by its place; a dense layer has the default."""
    from ai_edge_litert import schema_py_generated as schema

    options = {
        "CONV_2D": schema.Conv2DOptions,
        "DEPTHWISE_CONV_2D": schema.DepthwiseConv2DOptions,
    }
    main = schema.Model.GetRootAs(content, 0).Subgraphs(0)
    found = {}
    for number, operator in enumerate(decode_model(content).main.operators):
        table = main.Operators(number).BuiltinOptions()
        found[number] = Windows()
        if operator.name in options:
            told = options[operator.name]()
            told.Init(table.Bytes, table.Pos)
            found[number] = Windows(
                (told.StrideH(), told.StrideW()),
                (told.DilationHFactor(), told.DilationWFactor()),
                "SAME" if told.Padding() == schema.Padding.SAME else "VALID",
            )
    return found
