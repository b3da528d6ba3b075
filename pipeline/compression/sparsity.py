"""Zeros and distinct values in weight tensors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

# Types whose every value fits a table of 65,536 counters: faster than sorting the tensor.
_COUNTABLE_BYTES = (1, 2)


@dataclass(frozen=True)
class TensorSparsity:
    """What was counted in one tensor.

    Attributes:
        parameters: number of elements.
        zeros: elements that stand for exactly 0.
        distinct: different stored values (in a per-channel tensor: different codes).
    """

    parameters: int
    zeros: int
    distinct: int

    @property
    def sparsity(self) -> float:
        """Fraction of zeros in [0, 1]; 0.0 for an empty tensor."""
        return self.zeros / self.parameters if self.parameters else 0.0

    def to_json(self) -> dict[str, int | float]:
        """Returns the figures and the sparsity under their names."""
        return {**asdict(self), "sparsity": self.sparsity}


def count_zeros(
    values: np.ndarray, zero_point: int | np.ndarray = 0, quantized_dimension: int = 0
) -> int:
    """Counts the elements that stand for the real number 0.

    A quantized value q stands for scale · (q − zero_point), so it is zero where q = zero_point.

    Args:
        values: any shape, any numeric dtype.
        zero_point: one integer, or shape (values.shape[quantized_dimension],).
        quantized_dimension: the axis that an array of zero points belongs to.

    Returns:
        The count. −0.0 counts as zero, NaN does not.
    """
    points = np.asarray(zero_point)
    if points.size > 1:
        shape = [1] * values.ndim
        shape[quantized_dimension] = points.size
        points = points.reshape(shape)
    else:
        points = points.reshape(())
    if not points.any():
        return int(values.size - np.count_nonzero(values))
    return int(np.count_nonzero(values == points))


def count_values(values: np.ndarray) -> np.ndarray:
    """Counts how often each different value occurs; −0.0 and 0.0 are one value.

    Args:
        values: any shape, any numeric dtype.

    Returns:
        integers (k,), each above 0, their sum values.size; k is the number of different values.
    """
    if values.dtype.kind in "iu" and values.dtype.itemsize in _COUNTABLE_BYTES:
        codes = np.ascontiguousarray(values).reshape(-1).view(f"u{values.dtype.itemsize}")
        counts = np.bincount(codes)
        return counts[counts > 0]
    return np.unique(values, return_counts=True)[1]


def count_distinct(values: np.ndarray) -> int:
    """Counts the different values; −0.0 and 0.0 are one value.

    Args:
        values: any shape, any numeric dtype.
    """
    return int(count_values(values).size)


def measure_tensor(
    values: np.ndarray, zero_point: int | np.ndarray = 0, quantized_dimension: int = 0
) -> TensorSparsity:
    """Counts elements, zeros and distinct values of one tensor.

    Args:
        values: any shape, any numeric dtype.
        zero_point: see `count_zeros`.
        quantized_dimension: see `count_zeros`.
    """
    zeros = count_zeros(values, zero_point, quantized_dimension)
    return TensorSparsity(int(values.size), zeros, count_distinct(values))


def overall_sparsity(tensors: Iterable[TensorSparsity]) -> float:
    """Returns all zeros divided by all elements of several tensors, in [0, 1]."""
    counted = list(tensors)
    parameters = sum(tensor.parameters for tensor in counted)
    return sum(tensor.zeros for tensor in counted) / parameters if parameters else 0.0
