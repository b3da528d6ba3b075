"""The promise of clustering, counted in the `.tflite` file: few values in each kernel.

What is promised: a kernel of one scale, or of none, holds at most as many different values as it
was given clusters. Where each output channel has a scale or a folded BatchNormalization of its
own, one value of the Keras model becomes another code in each channel; then each channel by itself
holds at most that many.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.compression.clusters import most_distinct_in_a_channel
from pipeline.compression.sparsity import count_distinct
from pipeline.errors import PromiseError
from pipeline.tflite.flatbuffer import Tensor, read_model
from pipeline.tflite.inspect import inspect_model

# Parts that the converter makes of one kernel: the gates of an LSTM, and those of a GRU.
SPLITS = (4, 3)


@dataclass(frozen=True)
class ClusteredKernel:
    """A kernel of the Keras model, and how many different values it was promised to hold.

    Attributes:
        layer: its name.
        tensor: name of the weight in the layer.
        shape: in Keras.
        number_of_clusters: ≥ 2.
        normalized: whether a BatchNormalization follows, which the converter folds in.
    """

    layer: str
    tensor: str
    shape: tuple[int, ...]
    number_of_clusters: int
    normalized: bool

    @property
    def name(self) -> str:
        """Names it in errors."""
        return f"{self.layer}/{self.tensor}"


def check_clusters(path: Path, kernels: Iterable[ClusteredKernel]) -> None:
    """Checks that every clustered kernel holds at most the promised different values.

    Kernels are found by their dimensions without ones, in any order, those of a recurrent layer
    also by the size of its gates. Of several candidates those with the fewest values are taken,
    the smallest promise first, which succeeds exactly if any matching does.

    Args:
        path: the file.
        kernels: what was promised.

    Raises:
        PromiseError: names the kernel and both counts, or the kernel that is not there.
        ArtifactError: the file is missing or torn.
    """
    there = _kernels_of(path)
    groups: dict[tuple[tuple[int, ...], bool], list[ClusteredKernel]] = defaultdict(list)
    for kernel in kernels:
        groups[_dimensions(kernel.shape), kernel.normalized].append(kernel)
    # Those that are held to the whole kernel choose first.
    for (dimensions, _), group in sorted(groups.items(), key=lambda item: item[0][1]):
        for kernel in sorted(group, key=lambda kernel: kernel.number_of_clusters):
            for tensor in _take(path, there, dimensions, kernel):
                _check(path, kernel, tensor)


def _kernels_of(path: Path) -> list[Tensor]:
    model = read_model(path)
    # An embedding is no kernel of any operator, but it is read.
    wanted = {(weight.name, weight.shape) for weight in inspect_model(model).weights}
    return [
        tensor
        for subgraph in model.subgraphs
        for tensor in subgraph.tensors
        if tensor.data is not None
        and len(tensor.shape) >= 2
        and (tensor.name, tensor.shape) in wanted
    ]


def _take(
    path: Path, there: list[Tensor], dimensions: tuple[int, ...], kernel: ClusteredKernel
) -> list[Tensor]:
    """Takes the tensors that a kernel became out of those of the file."""
    size = math.prod(kernel.shape)
    whole = [tensor for tensor in there if _dimensions(tensor.shape) == dimensions]
    choices = [(1, whole)] + [
        (parts, [tensor for tensor in there if math.prod(tensor.shape) * parts == size])
        for parts in SPLITS
    ]
    for parts, candidates in choices:
        if len(candidates) >= parts:
            taken = sorted(candidates, key=lambda tensor: _count(tensor, kernel))[:parts]
            for tensor in taken:
                # By identity: equality of tensors would compare their arrays.
                del there[next(n for n, other in enumerate(there) if other is tensor)]
            return taken
    raise PromiseError(
        f"{path.name}: no kernel with the dimensions {dimensions} of {kernel.name}, promised one "
        f"with at most {kernel.number_of_clusters} different values"
    )


def _check(path: Path, kernel: ClusteredKernel, tensor: Tensor) -> None:
    found = _count(tensor, kernel)
    if found > kernel.number_of_clusters:
        place = "in one output channel of" if _is_per_channel(tensor, kernel) else "in"
        raise PromiseError(
            f"{path.name}: {found} different values {place} {kernel.name}, promised at most "
            f"{kernel.number_of_clusters}: the clusters were lost"
        )


def _count(tensor: Tensor, kernel: ClusteredKernel) -> int:
    """Counts different values: of the kernel, or of the output channel that has the most."""
    assert tensor.data is not None  # the others were left out
    if not _is_per_channel(tensor, kernel):
        return count_distinct(tensor.data)
    # Stored as (outputs, …, inputs), but for CONV_3D in the order of Keras, outputs last.
    axis = len(tensor.shape) - 1 if len(tensor.shape) == 5 else 0
    if len(tensor.scales) > 1:
        axis = tensor.quantized_dimension
    return most_distinct_in_a_channel(tensor.data, axis)


def _is_per_channel(tensor: Tensor, kernel: ClusteredKernel) -> bool:
    return kernel.normalized or len(tensor.scales) > 1


def _dimensions(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(size for size in shape if size != 1))
