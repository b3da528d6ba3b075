"""Everything that a training's next step depends on, as arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


def read_weights(model: keras.Model) -> list[np.ndarray]:
    """Copies every variable of the model: weights, BatchNorm statistics, seed generators."""
    return _read(model.variables)


def write_weights(model: keras.Model, values: Sequence[np.ndarray]) -> None:
    """Puts back what `read_weights` returned."""
    _write(model.variables, values)


def capture_state(
    weights: Sequence[np.ndarray],
    optimizer: keras.optimizers.Optimizer,
    best: Sequence[np.ndarray] | None,
    rates: np.ndarray,
) -> dict[str, np.ndarray]:
    """Gathers a training's state under the names of its checkpoint.

    Variables go by number: the paths of seed generators count up over the life of a process.

    Args:
        weights: those of the model now, from `read_weights`.
        optimizer: its built optimizer.
        best: the weights to keep where they are not the current ones, else None.
        rates: float32 (steps,), the learning rates that ran so far.
    """
    arrays = _numbered("model", weights)
    arrays |= _numbered("optimizer", _read(optimizer.variables))
    if best is not None:
        arrays |= _numbered("best", best)
    return arrays | {"learning_rates": rates}


def restore_state(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    arrays: Mapping[str, np.ndarray],
) -> list[np.ndarray]:
    """Puts a captured state back and returns the weights to keep, best so far or current.

    Raises:
        ValueError: the state belongs to another model or optimizer.
    """
    current = _gather("model", arrays)
    write_weights(model, current)
    _write(optimizer.variables, _gather("optimizer", arrays))
    return _gather("best", arrays) or current


def _numbered(prefix: str, values: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{prefix}/{index:05d}": value for index, value in enumerate(values)}


def _gather(prefix: str, arrays: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    return [arrays[name] for name in sorted(arrays) if name.startswith(f"{prefix}/")]


def _read(variables: Sequence[keras.Variable]) -> list[np.ndarray]:
    # np.array copies: TensorFlow may hand out a view of memory that the next step overwrites.
    return [np.array(variable.value.numpy()) for variable in variables]


def _write(variables: Sequence[keras.Variable], values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        if tuple(variable.shape) != value.shape:
            raise ValueError(f"{variable.path}: shape {value.shape}, expected {variable.shape}")
        variable.assign(value)
