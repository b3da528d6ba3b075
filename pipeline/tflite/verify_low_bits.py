"""The promise of int4 and int2 files: each kernel has the bits that its operator has a form for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import PromiseError
from pipeline.tflite.flatbuffer import ModelFile, Tensor
from pipeline.tflite.inspect import Inspection, kernels_by_operator
from pipeline.tflite.low_bits import DENSE, KERNEL_DTYPES

if TYPE_CHECKING:
    from pipeline.tflite.convert import ConversionRequest


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
    kernels = [pair for subgraph in model.subgraphs for pair in kernels_by_operator(subgraph)]
    for operator, kernel in kernels:
        promised = KERNEL_DTYPES[request.scheme].get(operator)
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
        _check_blocks(path, request.block_size, [k for operator, k in kernels if operator == DENSE])


def tell_wider_weights(inspection: Inspection, scheme: str) -> str | None:
    """Says which weights have more bits than the scheme's name promises; None if none have.

    Args:
        inspection: of the file.
        scheme: int4 or int2.

    Returns:
        One phrase: kernels by type, and tables (of an embedding, for one) that stay in float32.
    """
    kernels = Counter(kernel.dtype for kernel in inspection.kernels)
    wider = [
        f"{count} of {kernels.total()} kernels in {dtype}"
        for dtype, count in kernels.items()
        if dtype != scheme
    ]
    tables = sum(
        weight.counts.parameters
        for weight in inspection.weights
        if weight.role == "other" and weight.dtype == "float32" and len(weight.shape) >= 2
    )
    if tables:
        wider.append(f"{tables} numbers of tables in float32")
    return f"{', '.join(wider)}, which have no {scheme} form" if wider else None


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
