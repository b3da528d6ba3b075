"""The promise of single layers: their operators compute and keep weights as they were told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.errors import PromiseError
from pipeline.tflite.flatbuffer import ModelFile, Operator, Tensor
from pipeline.tflite.float_operators import FLOATS
from pipeline.tflite.layer_of_operator import layers_of_operators
from pipeline.tflite.low_bits import KERNEL_DTYPES, LOW_BIT_SCHEMES
from pipeline.tflite.macs import KERNEL_INPUTS
from pipeline.tflite.static_weights import kernel_dtype

if TYPE_CHECKING:
    from pipeline.tflite.conversion_request import ConversionRequest

_INTEGERS = frozenset({"int8", "int16", "uint8"})


class PromisedKernel(NamedTuple):
    """A kernel of the file.

    Attributes:
        operator: that reads it.
        tensor: the kernel.
        dtype: that it was promised; None: the scheme has no form for it.
        asked: that its layer was given in `quantize.layers`; None: it has the file's scheme.
    """

    operator: str
    tensor: Tensor
    dtype: str | None
    asked: str | None = None


def promised_kernels(request: ConversionRequest, model: ModelFile) -> Iterator[PromisedKernel]:
    """Yields each kernel of the main subgraph with the type that its operator's scheme gives it."""
    tensors = model.main.tensors
    for operator, scheme in _with_schemes(request, model):
        for place in KERNEL_INPUTS.get(operator.name, ()):
            index = operator.inputs[place] if place < len(operator.inputs) else -1
            if index >= 0 and tensors[index].data is not None and len(tensors[index].shape) > 1:
                dtype = kernel_type(request, scheme or request.scheme, operator.name)
                yield PromisedKernel(operator.name, tensors[index], dtype, scheme)


def _with_schemes(
    request: ConversionRequest, model: ModelFile
) -> Iterator[tuple[Operator, str | None]]:
    """Yields each operator of the main subgraph and the scheme that its layer was given."""
    if request.layers is None:
        yield from ((operator, None) for operator in model.main.operators)
    else:
        given = request.layers.of_operators(model)
        yield from zip(model.main.operators, given, strict=True)


def reads_kernel(model: ModelFile, operator: Operator) -> bool:
    """True for an operator with constant weights of rank 2 or more."""
    places = KERNEL_INPUTS.get(operator.name, ())
    indices = [operator.inputs[place] for place in places if place < len(operator.inputs)]
    found = [model.main.tensors[index] for index in indices if index >= 0]
    return any(tensor.data is not None and len(tensor.shape) > 1 for tensor in found)


def kernel_type(request: ConversionRequest, scheme: str, operator: str) -> str | None:
    """Returns the type that a kernel has in a file.

    Args:
        request: of the file.
        scheme: of the kernel's layer.
        operator: that reads it.

    Returns:
        As in `Tensor.dtype`; None: the scheme has no form for the operator.
    """
    if scheme == "float32":
        return "float32"
    if request.scheme in LOW_BIT_SCHEMES:
        return KERNEL_DTYPES[scheme].get(operator)
    return kernel_dtype(scheme, operator)


def check_layer_schemes(path: Path, request: ConversionRequest, model: ModelFile) -> set[str]:
    """Checks the operators of an integer file whose layers have a scheme of their own.

    Args:
        path: names the file in errors.
        request: what was asked for.
        model: what `read_model` made of the file.

    Returns:
        Names of the tensors that may be float: those of layers in float32.

    Raises:
        PromiseError: a pattern matches no operator, an operator of a layer in int16x8 does not
            compute in int16, or one in float32 does not compute in float.
    """
    check_patterns_used(path, request, model)
    in_float: set[str] = set()
    for operator, scheme in _with_schemes(request, model):
        if scheme not in ("float32", "int16x8"):
            continue
        for tensor in _activations(model, operator):
            allowed = FLOATS if scheme == "float32" else {"int16"}
            if tensor.dtype not in allowed:
                raise PromiseError(
                    f"{path.name}: {operator.name} of tensor {tensor.name!r} computes in "
                    f"{tensor.dtype}, promised {scheme} by quantize.layers: it has no such form"
                )
        if scheme == "float32":
            in_float |= {model.main.tensors[i].name for i in _tensors(operator)}
    return in_float


def check_static_kernels(
    path: Path, request: ConversionRequest, model: ModelFile, in_float: set[str]
) -> None:
    """Checks the type of each kernel of an integer file.

    Args:
        path: names the file in errors.
        request: what was asked for.
        model: what `read_model` made of the file.
        in_float: names of tensors that may be float.

    Raises:
        PromiseError: names the first kernel of another type.
    """
    for operator, kernel, promised, _ in promised_kernels(request, model):
        if kernel.dtype != promised and kernel.name not in in_float:
            raise PromiseError(
                f"{path.name}: kernel {kernel.name!r} {kernel.shape} of {operator} is "
                f"{kernel.dtype}, promised {promised} (scheme {request.scheme})"
            )


def check_patterns_used(path: Path, request: ConversionRequest, model: ModelFile) -> None:
    """Refuses a pattern whose layers have left no operator in the file.

    Raises:
        PromiseError: names the pattern.
    """
    if request.layers is not None:
        for pattern in request.layers.unused_patterns(model):
            raise PromiseError(
                f"{path.name}: no operator of the file belongs to the layers that "
                f"quantize.layers.{pattern} matches; leave it out"
            )


def _activations(model: ModelFile, operator: Operator) -> list[Tensor]:
    """What an operator reads and writes, constants and indices left out."""
    found = [model.main.tensors[index] for index in _tensors(operator)]
    return [t for t in found if t.data is None and t.dtype in FLOATS | _INTEGERS]


def _tensors(operator: Operator) -> list[int]:
    return [index for index in (*operator.inputs, *operator.outputs) if index >= 0]


def asked_kernels(request: ConversionRequest, model: ModelFile) -> set[str]:
    """Returns the names of the kernels whose layers have a scheme of their own."""
    if request.layers is None:
        return set()
    return {k.tensor.name for k in promised_kernels(request, model) if k.asked is not None}


def describe_layers(request: ConversionRequest, model: ModelFile) -> list[dict[str, str | None]]:
    """Lists the operators whose layers have a scheme of their own.

    Returns:
        Rows of "layers" (joined by commas), "scheme", "operator", and "kernel": the type of its
        weights in the file, None without any.
    """
    if request.layers is None:
        return []
    names = layers_of_operators(model, request.layers.names)
    kernels = {k.tensor.index: k.tensor.dtype for k in promised_kernels(request, model)}
    rows = zip(names, _with_schemes(request, model), strict=True)
    return [
        {
            "layers": ", ".join(layers),
            "scheme": scheme,
            "operator": operator.name,
            "kernel": next((kernels[i] for i in operator.inputs if i in kernels), None),
        }
        for layers, (operator, scheme) in rows
        if scheme is not None
    ]
