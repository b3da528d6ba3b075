"""Promises about a `.tflite` file, checked on the file that ships."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.compression.statistics import compare
from pipeline.config.ranges import CALIBRATED_SCHEMES
from pipeline.errors import PromiseError
from pipeline.tasks.measure import answer_agreement
from pipeline.tasks.task import Task
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.flatbuffer import ModelFile, read_model
from pipeline.tflite.float_operators import find_float_operators
from pipeline.tflite.inspect import Weight, inspect_model
from pipeline.tflite.interpreter import load
from pipeline.tflite.low_bits import LOW_BIT_SCHEMES
from pipeline.tflite.verify_layer_schemes import check_layer_schemes, check_static_kernels
from pipeline.tflite.verify_low_bits import check_low_bit_kernels

_KERNEL_DTYPES = {
    "float32": ("float32",),
    "float16": ("float16",),
    "dynamic_range": ("int8",),
    "int8": ("int8",),
    "int16x8": ("int8",),
}
# The converter leaves smaller kernels of dynamic_range in float32, where int8 saves nothing.
DYNAMIC_RANGE_MIN_ELEMENTS = 1024
# Inputs of these types are token ids: indices, which have no scale and are never quantized.
_IDS = frozenset({"int32", "int64"})


def check_dtypes(path: Path, request: ConversionRequest) -> None:
    """Checks that inputs, outputs, kernels and, for integer schemes, all tensors have their type.

    Inputs that are token ids stay int32, whatever was asked for the others. With float operators
    allowed, those may have float tensors and kernels, if not all kernels are float.

    Args:
        path: the file.
        request: what was asked of the converter.

    Raises:
        PromiseError: names the first tensor of another type, or the dense kernel with more
            scales than promised.
        ArtifactError: the file is missing or torn.
    """
    model = read_model(path)
    found = inspect_model(model)
    for kind, dtypes in (("input", found.inputs), ("output", found.outputs)):
        for name, dtype in dtypes.items():
            if dtype != request.io_dtype and not (kind == "input" and dtype in _IDS):
                raise PromiseError(
                    f"{path.name}: {kind} {name!r} is {dtype}, promised {request.io_dtype} "
                    f"(scheme {request.scheme})"
                )
    in_float: set[str] = set()
    if request.scheme in CALIBRATED_SCHEMES:
        told = check_layer_schemes(path, request, model)
        in_float = told | _check_float_operators(path, request, model, found.kernels, told)
    if request.scheme in LOW_BIT_SCHEMES:
        check_low_bit_kernels(path, request, model)
    elif request.scheme == "int8x4" or request.layers is not None:
        check_static_kernels(path, request, model, in_float)
    else:
        for kernel in found.kernels:
            if kernel.name not in in_float:
                _check_kernel(path, request, kernel)
    if request.dense_scales == "per_tensor":
        _check_dense_scales(path, found.kernels)


def _check_kernel(path: Path, request: ConversionRequest, kernel: Weight) -> None:
    small = kernel.counts.parameters < DYNAMIC_RANGE_MIN_ELEMENTS
    if request.scheme == "dynamic_range" and small and kernel.dtype == "float32":
        return
    if kernel.dtype not in _KERNEL_DTYPES[request.scheme]:
        raise PromiseError(
            f"{path.name}: kernel {kernel.name!r} {kernel.shape} is {kernel.dtype}, promised "
            f"{' or '.join(_KERNEL_DTYPES[request.scheme])} (scheme {request.scheme})"
        )


def _check_dense_scales(path: Path, kernels: Iterable[Weight]) -> None:
    """One scale for each kernel of rank 2: those of dense layers."""
    for kernel in kernels:
        if len(kernel.shape) == 2 and kernel.scales > 1:
            raise PromiseError(
                f"{path.name}: dense kernel {kernel.name!r} has {kernel.scales} scales, promised 1"
            )


def _check_float_operators(
    path: Path,
    request: ConversionRequest,
    model: ModelFile,
    kernels: Sequence[Weight],
    told: set[str],
) -> set[str]:
    """Refuses floats between QUANTIZE and DEQUANTIZE; returns the tensors that may be float.

    Those in `told`, of layers that were given float32, always may.
    """
    found = find_float_operators(model)
    if told:
        found = tuple(operator for operator in found if not told.issuperset(operator.tensors))
    tensors = {name for operator in found for name in operator.tensors}
    words = ", ".join(map(str, found))
    if found and request.float_operators == "refuse":
        raise PromiseError(
            f"{path.name}: {words} computes in float32 (tensor {found[0].tensors[0]!r}), promised "
            f"integers (scheme {request.scheme}); quantize.float_operators: allow leaves it so"
        )
    if kernels and tensors.issuperset(kernel.name for kernel in kernels):
        raise PromiseError(
            f"{path.name}: all kernels stay in float32 ({words}), promised at least some in "
            f"integers (scheme {request.scheme}); use quantize.schemes: [dynamic_range]"
        )
    return tensors


def check_sparsity(path: Path, expected: float | Sequence[tuple[Sequence[int], float]]) -> float:
    """Checks that kernels are as sparse as promised, one element of rounding allowed.

    A kernel of Keras is found in the file by its dimensions without ones, in any order: TFLite
    stores it transposed, e.g. (h, w, in, out) as (out, h, w, in). Several kernels of the same
    dimensions are matched by rank: the sparsest one with the highest target, and so on, which
    succeeds exactly if any matching does.

    Args:
        path: the file.
        expected: sparsity of all kernels together, in [0, 1), or (Keras kernel shape, sparsity)
            per pruned kernel.

    Returns:
        The sparsity of the kernels that were checked, together.

    Raises:
        PromiseError: names the kernel and both figures.
        ArtifactError: the file is missing or torn.
    """
    kernels = inspect_model(read_model(path)).kernels
    if isinstance(expected, int | float):
        return _require(path, "all kernels", kernels, float(expected))
    by_shape: dict[tuple[int, ...], list[Weight]] = defaultdict(list)
    for kernel in kernels:
        by_shape[_dimensions(kernel.shape)].append(kernel)
    targets: dict[tuple[int, ...], list[float]] = defaultdict(list)
    for shape, target in expected:
        targets[_dimensions(shape)].append(target)
    checked: list[Weight] = []
    for dimensions, wanted in targets.items():
        there = sorted(by_shape[dimensions], key=lambda kernel: -kernel.counts.sparsity)
        if len(there) < len(wanted):
            raise PromiseError(
                f"{path.name}: {len(there)} kernels with dimensions {dimensions}, promised "
                f"{len(wanted)} with sparsity {', '.join(f'{target:.4f}' for target in wanted)}"
            )
        for kernel, target in zip(there, sorted(wanted, reverse=True), strict=False):
            _require(path, f"kernel {kernel.name!r} {kernel.shape}", [kernel], target)
            checked.append(kernel)
    return _sparsity(checked)


def _require(path: Path, what: str, kernels: Sequence[Weight], target: float) -> float:
    parameters = sum(kernel.counts.parameters for kernel in kernels)
    zeros = sum(kernel.counts.zeros for kernel in kernels)
    # Each kernel's target was rounded to whole elements.
    if zeros < target * parameters - len(kernels):
        raise PromiseError(
            f"{path.name}: sparsity of {what} is {_sparsity(kernels):.4f} "
            f"({zeros} of {parameters}), promised {target:.4f}"
        )
    return _sparsity(kernels)


def _sparsity(kernels: Sequence[Weight]) -> float:
    parameters = sum(kernel.counts.parameters for kernel in kernels)
    zeros = sum(kernel.counts.zeros for kernel in kernels)
    return zeros / parameters if parameters else 0.0


def _dimensions(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(size for size in shape if size != 1))


def compare_outputs(
    path: Path, x: np.ndarray | Mapping[str, np.ndarray], reference: np.ndarray, task: Task
) -> dict[str, Any]:
    """Runs a file and compares its outputs with the Keras model's on the same samples.

    Args:
        path: the file.
        x: float32 (n, …), n ≥ 2, as the Keras model takes it; or one array per input name.
        reference: (n, …), the Keras model's outputs.
        task: what the model is asked to do.

    Returns:
        "samples", "max_difference" and "mean_difference" (relative to the spread), "spread" (see
        `compression.statistics.output_spread`), "label_agreement" (fraction of equal answers;
        None where the answers are numbers).

    Raises:
        PromiseError: the reference does not vary, or the file gives NaN.
        ArtifactError: the file does not run.
    """
    outputs = load(path).predict(x)
    if not np.isfinite(outputs).all():
        raise PromiseError(f"{path.name}: outputs hold NaN or infinity, promised finite numbers")
    agreement = answer_agreement(task, reference, outputs)
    return {**compare(reference, outputs).to_json(), "label_agreement": agreement}


class CountedKernel(Protocol):
    """What `check_zeros_kept` needs to know of a kernel of the Keras model."""

    @property
    def name(self) -> str:
        """Names it in errors."""

    @property
    def parameters(self) -> int:
        """Number of elements."""

    @property
    def zeros(self) -> int:
        """Elements that are exactly 0."""


def check_zeros_kept(path: Path, kernels: Iterable[CountedKernel]) -> None:
    """Checks that every kernel has at least the zeros that it had in the Keras model.

    Kernels are found by their number of elements, several of the same size by rank. Those that
    the converter split (a recurrent layer's gates) or merged have no match: they are compared
    together with what is left in the file.

    Args:
        path: the file.
        kernels: weights of rank 2 or more of the Keras model.

    Raises:
        PromiseError: names the kernel and both counts.
        ArtifactError: the file is missing or torn.
    """
    there: dict[int, list[int]] = defaultdict(list)
    for weight in inspect_model(read_model(path)).weights:
        if len(weight.shape) >= 2:
            there[weight.counts.parameters].append(weight.counts.zeros)
    for zeros in there.values():
        zeros.sort()
    unmatched: list[CountedKernel] = []
    for kernel in sorted(kernels, key=lambda kernel: -kernel.zeros):
        if not there[kernel.parameters]:
            unmatched.append(kernel)
            continue
        found = there[kernel.parameters].pop()
        _require_zeros(path, kernel.name, found, kernel.zeros, kernel.parameters)
    left = sum(sum(zeros) for zeros in there.values())
    names = ", ".join(kernel.name for kernel in unmatched)
    promised = sum(kernel.zeros for kernel in unmatched)
    _require_zeros(path, names, left, promised, sum(kernel.parameters for kernel in unmatched))


def _require_zeros(path: Path, name: str, found: int, promised: int, parameters: int) -> None:
    if found < promised:
        raise PromiseError(
            f"{path.name}: {found} zeros in {name}, promised {promised} of {parameters} as in the "
            "Keras model: the conversion lost zeros"
        )
