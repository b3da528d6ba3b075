"""The promise of int4 and int2 files: each kernel has the bits that its operator has a form for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import PromiseError
from pipeline.tflite.flatbuffer import ModelFile, Tensor
from pipeline.tflite.inspect import Inspection, kernels_by_operator
from pipeline.tflite.low_bits import DENSE, KERNEL_DTYPES, LOW_BIT_SCHEMES
from pipeline.tflite.verify_layer_schemes import (
    PromisedKernel,
    check_patterns_used,
    promised_kernels,
)

if TYPE_CHECKING:
    from pipeline.tflite.conversion_request import ConversionRequest

# The type that the scheme's name promises of weights.
_WEIGHTS = {"int8x4": "int4", "int4": "int4", "int2": "int2"}


def check_low_bit_kernels(path: Path, request: ConversionRequest, model: ModelFile) -> None:
    """Checks the type of each kernel, and its blocks where some were asked for.

    Args:
        path: names the file in errors.
        request: what was asked for: scheme and block size.
        model: what `read_model` made of the file.

    Raises:
        PromiseError: names the first kernel of another type and its operator, or tells that no
            kernel has blocks.
    """
    check_patterns_used(path, request, model)
    others = [pair for subgraph in model.subgraphs[1:] for pair in kernels_by_operator(subgraph)]
    kernels = list(promised_kernels(request, model))
    for operator, kernel in others:
        promised = KERNEL_DTYPES[request.scheme].get(operator)
        kernels.append(PromisedKernel(operator, kernel, promised))
    for operator, kernel, promised, _ in kernels:
        if promised is None:
            raise PromiseError(
                f"{path.name}: kernel {kernel.name!r} {kernel.shape} of {operator} stays "
                f"{kernel.dtype}: it has no form for scheme {request.scheme}; use dynamic_range"
            )
        if kernel.dtype != promised:
            raise PromiseError(
                f"{path.name}: kernel {kernel.name!r} {kernel.shape} of {operator} is "
                f"{kernel.dtype}, promised {promised} (scheme {request.scheme})"
            )
    if request.block_size is not None:
        whole = [k.tensor for k in kernels if k.operator == DENSE and k.dtype == request.scheme]
        _check_blocks(path, request.block_size, whole)


def tell_wider_weights(
    inspection: Inspection, scheme: str, asked: Collection[str] = ()
) -> str | None:
    """Says which weights have more bits than the scheme's name promises; None if none have.

    Args:
        inspection: of the file.
        scheme: of the file; only those of low bits promise anything.
        asked: names of the kernels whose layers were given another scheme: the user knows.

    Returns:
        One phrase: kernels by type, and tables (of an embedding, for one) that stay in float32.
    """
    named = _WEIGHTS.get(scheme)
    if named is None:
        return None
    found = [kernel for kernel in inspection.kernels if kernel.name not in asked]
    kernels = Counter(kernel.dtype for kernel in found)
    wider = [
        f"{count} of {len(inspection.kernels)} kernels in {dtype}"
        for dtype, count in kernels.items()
        if dtype != named
    ]
    tables = sum(
        weight.counts.parameters
        for weight in inspection.weights
        if weight.role == "other" and weight.dtype == "float32" and len(weight.shape) >= 2
    )
    if tables and scheme in LOW_BIT_SCHEMES:
        wider.append(f"{tables} numbers of tables in float32")
    return f"{', '.join(wider)}, which have no {named} form" if wider else None


def _check_blocks(path: Path, block_size: int, kernels: list[Tensor]) -> None:
    divided = [kernel for kernel in kernels if kernel.shape[1] % block_size == 0]
    if not divided:
        shapes = ", ".join(str(kernel.shape) for kernel in kernels) or "none"
        raise PromiseError(
            f"{path.name}: no dense kernel has inputs in whole blocks of {block_size} (kernels: "
            f"{shapes}); choose another quantize.block_size, or none"
        )
    for kernel in divided:
        if kernel.block_size != block_size:
            raise PromiseError(
                f"{path.name}: kernel {kernel.name!r} {kernel.shape} has blocks of "
                f"{kernel.block_size}, promised {block_size}"
            )
