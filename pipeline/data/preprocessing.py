"""The affine map from source values to model values, fitted on the training split alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.data.arrays import chunks
from pipeline.errors import DataError

if TYPE_CHECKING:
    from pipeline.config.data import Preprocessing
    from pipeline.data.samples import Samples

Factor = float | tuple[float, ...]


@dataclass(frozen=True)
class Affine:
    """x' = x * scale + offset in float32.

    Attributes:
        scale: one factor, or one per entry of the last axis (channels, or features of a vector).
        offset: the same form as scale, or one for all.
    """

    scale: Factor
    offset: Factor

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Maps samples.

        Args:
            x: (n, *input_shape), numeric.

        Returns:
            A new float32 array of the same shape.
        """
        mapped = x.astype(np.float32)
        mapped *= np.asarray(self.scale, np.float32)
        mapped += np.asarray(self.offset, np.float32)
        return mapped

    def followed_by(self, scale: float, offset: float) -> Affine:
        """Returns one map that does both: (x * self.scale + self.offset) * scale + offset."""
        both = (np.asarray(self.scale) * scale, np.asarray(self.offset) * scale + offset)
        return Affine(*(_factor(value.tolist()) for value in both))

    def to_json(self) -> dict[str, Any]:
        """Returns {"scale": …, "offset": …}, with lists for per-axis values."""
        return {"scale": _plain(self.scale), "offset": _plain(self.offset)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Affine:
        """Returns the map that to_json described; further keys are left alone."""
        return cls(_factor(value["scale"]), _factor(value["offset"]))


def fit_affine(config: Preprocessing, x: Samples, indices: np.ndarray) -> Affine | None:
    """Fits the configured preprocessing.

    Args:
        config: kind none, rescale (also when no kind is given) or standardize.
        x: (n, *input_shape), numeric and finite.
        indices: int64 (m,), the training split's samples: no other sample is looked at.

    Returns:
        The map; None for kind none.

    Raises:
        DataError: rescale without a given scale, and the training samples are all 0.
    """
    if config.kind == "none":
        return None
    if config.kind == "standardize":
        return _standardize(x, indices)
    scale = config.scale
    if scale is None:
        largest = max(float(np.abs(rows).max()) for rows in _chunks(x, indices))
        if largest == 0:
            raise DataError(
                "data.preprocessing rescale: every training value is 0, so no scale can be "
                "found; check the samples or give data.preprocessing.scale"
            )
        scale = 1.0 / largest
    return Affine(scale, config.offset)


def _standardize(x: Samples, indices: np.ndarray) -> Affine:
    """Zero mean and unit (population) variance for each entry of the last axis.

    A constant entry gets scale 1 and becomes 0; equal minimum and maximum tell it exactly,
    where a computed deviation would be rounding noise.
    """
    total, low, high = np.zeros(x.shape[-1]), np.full(x.shape[-1], np.inf), -np.inf
    for rows in _chunks(x, indices):
        total += rows.sum(axis=0)
        low, high = np.minimum(low, rows.min(axis=0)), np.maximum(high, rows.max(axis=0))
    count = len(indices) * math.prod(x.shape[1:-1])
    mean = np.clip(total / count, low, high)
    squares = np.zeros_like(mean)
    for rows in _chunks(x, indices):
        squares += np.square(rows - mean).sum(axis=0)
    deviation = np.sqrt(squares / count)
    constant = (low == high) | (deviation == 0)
    scale = 1.0 / np.where(constant, 1.0, deviation)
    return Affine(_factor(scale.tolist()), _factor((-mean * scale).tolist()))


def _chunks(x: Samples, indices: np.ndarray) -> Any:
    """Yields float64 (rows, last axis) of the chosen samples, a bounded number at a time."""
    for rows in chunks((len(indices), *x.shape[1:])):
        yield x[indices[rows]].reshape(-1, x.shape[-1]).astype(np.float64)


def _plain(value: Factor) -> float | list[float]:
    return list(value) if isinstance(value, tuple) else value


def _factor(value: float | list[float]) -> Factor:
    if isinstance(value, list):
        return tuple(float(entry) for entry in value) if len(value) > 1 else float(value[0])
    return float(value)
