"""The promise of pruning in a pattern, counted in the `.tflite` file: zero blocks, m of n.

A file stores the kernel of a dense layer or convolution as (outputs, …, inputs). What is a block of
[inputs, outputs] in Keras lies transposed in it, and n weights along the inputs follow each other.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.compression.weight_patterns import count_groups, count_zero_blocks
from pipeline.errors import PromiseError
from pipeline.tflite.flatbuffer import read_model
from pipeline.tflite.inspect import kernels_by_operator


@dataclass(frozen=True)
class PatternedKernel:
    """A kernel of the Keras model, and the pattern of its zeros.

    Attributes:
        layer: its name.
        tensor: name of the weight in the layer.
        shape: in Keras, (…, inputs, outputs).
        block_size: (inputs, outputs) of the blocks, or None.
        sparsity_m_by_n: (m, n), or None; one of the two is given.
        promised: blocks that are zero as a whole, or groups of n with m zeros.
    """

    layer: str
    tensor: str
    shape: tuple[int, ...]
    block_size: tuple[int, int] | None
    sparsity_m_by_n: tuple[int, int] | None
    promised: int

    @property
    def name(self) -> str:
        """Names it in errors."""
        return f"{self.layer}/{self.tensor}"

    def count(self, stored: np.ndarray) -> int:
        """Counts zero blocks, or groups with enough zeros, in a kernel as a file stores it."""
        rows = stored.reshape(stored.shape[0], -1)
        if self.sparsity_m_by_n is not None:
            return count_groups(rows, *self.sparsity_m_by_n)
        assert self.block_size is not None
        return count_zero_blocks(rows.T, *self.block_size)


def check_patterns(path: Path, kernels: Iterable[PatternedKernel]) -> None:
    """Checks that every kernel has the pattern that it was pruned in.

    Kernels are found by their inputs, outputs and size; several of the same are matched by rank,
    which succeeds exactly if any matching does.

    Args:
        path: the file.
        kernels: what was promised.

    Raises:
        PromiseError: names the kernel and both counts, or the kernel that is not there.
        ArtifactError: the file is missing or torn.
    """
    there: dict[tuple[int, int, int], list[np.ndarray]] = defaultdict(list)
    for subgraph in read_model(path).subgraphs:
        for _, tensor in kernels_by_operator(subgraph):
            assert tensor.data is not None  # a kernel is a constant
            size = math.prod(tensor.shape)
            there[tensor.shape[-1], tensor.shape[0], size].append(tensor.data)
    groups: dict[tuple[int, int, int], list[PatternedKernel]] = defaultdict(list)
    for kernel in kernels:
        groups[kernel.shape[-2], kernel.shape[-1], math.prod(kernel.shape)].append(kernel)
    for key, group in groups.items():
        group.sort(key=lambda kernel: -kernel.promised)
        counts = sorted((group[0].count(stored) for stored in there[key]), reverse=True)
        if len(counts) < len(group):
            raise PromiseError(
                f"{path.name}: no kernel of {key[2]} weights that is stored as (outputs "
                f"{key[1]}, …, inputs {key[0]}) for {group[len(counts)].name}, promised one with a "
                "pattern of zeros"
            )
        for kernel, found in zip(group, counts, strict=False):
            _require(path, kernel, found)


def _require(path: Path, kernel: PatternedKernel, found: int) -> None:
    if found >= kernel.promised:
        return
    if kernel.sparsity_m_by_n is not None:
        m, n = kernel.sparsity_m_by_n
        what = f"groups of {n} weights with {m} zeros"
    else:
        assert kernel.block_size is not None
        height, width = kernel.block_size
        what = f"zero blocks of {height} × {width}"
    raise PromiseError(
        f"{path.name}: {found} {what} in {kernel.name}, promised {kernel.promised}: the pattern "
        "was lost"
    )
