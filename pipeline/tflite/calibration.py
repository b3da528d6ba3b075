"""The ranges of activations, between the converter's calibration and its quantizer.

tensorflow 2.21.0 knows one way to find them: the smallest and the largest value of each tensor on
the representative samples, which it writes into a float file (`Calibrator.calibrate`) that its
quantizer then reads. Here that float file is run on the same samples again, and narrower ranges are
put in the place of those. What shares a scale with what, and the fixed ranges of SOFTMAX, LOGISTIC
and TANH, stay the quantizer's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from pipeline.compression.ranges import (
    ObservedValues,
    count_in_bins,
    least_error_range,
    percentile_range,
)
from pipeline.config.ranges import DEFAULT_PERCENTILE, RangeKind
from pipeline.tflite.flatbuffer import ModelFile, decode_model
from pipeline.tflite.inner_tensors import InnerTensors
from pipeline.tflite.macs import KERNEL_INPUTS

Batches = Iterable[Mapping[str, np.ndarray]]


def set_ranges(
    content: bytes, batches: Batches, kind: RangeKind, percentile: float = DEFAULT_PERCENTILE
) -> bytes:
    """Puts other ranges into a calibrated float file.

    Tensors behind the last kernel keep theirs: two answers that are cut off at the same value
    would be equal. So do states and the bodies of loops.

    Args:
        content: a float `.tflite` file with "min" and "max" of each activation.
        batches: the samples of the calibration, one array per input name, each a whole batch.
        kind: "min_max" leaves the file as it is; "percentile": see `percentile_range`; "mse": the
            least squared error of an int8 quantizer, see `least_error_range`.
        percentile: above 50 and at most 100.

    Returns:
        The same file, of the same length.
    """
    if kind == "min_max":
        return content
    data = bytearray(content)
    ranges = calibrated_ranges(data)
    wanted = [index for index in adjustable_tensors(decode_model(content)) if index in ranges]
    for index, observed in observe(content, batches, wanted, ranges).items():
        low, high = (
            percentile_range(observed, percentile)
            if kind == "percentile"
            else least_error_range(observed)
        )
        if low < high:
            ranges[index][0][:], ranges[index][1][:] = low, high
    return bytes(data)


def adjustable_tensors(model: ModelFile) -> tuple[int, ...]:
    """Returns the float activations whose range may be narrowed: those that a kernel is behind."""
    subgraph = model.main
    before_kernel: set[int] = set()
    for operator in reversed(subgraph.operators):
        feeds = before_kernel.intersection(operator.outputs) or operator.name in KERNEL_INPUTS
        if feeds:
            before_kernel.update(index for index in operator.inputs if index >= 0)
    made = {index for operator in subgraph.operators for index in operator.outputs}
    return tuple(
        tensor.index
        for tensor in subgraph.tensors
        if tensor.index in before_kernel & (made | set(subgraph.inputs))
        and tensor.dtype == "float32"
        and tensor.data is None
        and not tensor.is_variable
    )


def observe(
    content: bytes,
    batches: Batches,
    wanted: Iterable[int],
    ranges: Mapping[int, tuple[np.ndarray, np.ndarray]],
) -> dict[int, ObservedValues]:
    """Runs a float file and counts what its tensors hold.

    Args:
        content: the file.
        batches: as for `set_ranges`.
        wanted: tensors of subgraph 0.
        ranges: (min, max) of each, one element each; values outside are counted at the ends.

    Returns:
        What each tensor held; one whose range is a single value is left out.
    """
    ends = {
        index: (min(float(ranges[index][0][0]), 0.0), max(float(ranges[index][1][0]), 0.0))
        for index in wanted
    }
    ends = {index: pair for index, pair in ends.items() if pair[0] < pair[1]}
    counts: dict[int, Any] = dict.fromkeys(ends, 0)
    zeros = dict.fromkeys(ends, 0)
    inner = InnerTensors(content)
    for batch in batches:
        inner.run({index: batch[inner.file.input_names[index]] for index in inner.inputs})
        for index, pair in ends.items():
            values = inner.read(index)
            counts[index] = counts[index] + count_in_bins(values, *pair)
            zeros[index] += int(np.count_nonzero(values == 0))
    return {
        index: ObservedValues(*pair, counts[index], zeros[index]) for index, pair in ends.items()
    }


@contextmanager
def calibration_edited(edit: Callable[[bytes], bytes]) -> Iterator[None]:
    """Has the converter quantize by what `edit` makes of its calibrated float file."""
    from tensorflow.lite.python.optimize.calibrator import Calibrator

    calibrate = Calibrator.calibrate
    Calibrator.calibrate = lambda self, dataset: edit(bytes(calibrate(self, dataset)))
    try:
        yield
    finally:
        Calibrator.calibrate = calibrate


def calibrated_ranges(data: bytearray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Returns (min, max) of each calibrated tensor of subgraph 0, as writable views."""
    from ai_edge_litert import schema_py_generated as schema

    subgraph = schema.Model.GetRootAs(data, 0).Subgraphs(0)
    found = {}
    for index in range(subgraph.TensorsLength()):
        quantization = subgraph.Tensors(index).Quantization()
        if quantization is not None and quantization.MinLength() == 1:
            found[index] = (quantization.MinAsNumpy(), quantization.MaxAsNumpy())
    return found
