"""Everything that a training's next step depends on, as arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras


def read_weights(model: keras.Model) -> list[np.ndarray]:
    """Copies every variable of the model: weights, BatchNorm statistics, seed generators."""
    return _read(model.variables)


def write_weights(model: keras.Model, values: Sequence[np.ndarray]) -> None:
    """Puts back what `read_weights` returned; nothing is changed unless everything fits.

    Raises:
        ValueError: they belong to another model.
    """
    _check("model", model.variables, values)
    _assign(model.variables, values)


def capture_state(
    weights: Sequence[np.ndarray],
    others: Mapping[str, Sequence[Any]],
    best: Sequence[np.ndarray] | None,
    rates: np.ndarray,
) -> dict[str, np.ndarray]:
    """Gathers a training's state under the names of its checkpoint.

    Variables go by number: the paths of seed generators count up over the life of a process.

    Args:
        weights: those of the model now, from `read_weights`.
        others: what else the next step depends on: name → variables, as those of the built
            optimizer under "optimizer".
        best: the weights to keep where they are not the current ones, else None.
        rates: float32 (steps,), the learning rates that ran so far.
    """
    arrays = _numbered("model", weights)
    for name, variables in others.items():
        arrays |= _numbered(name, _read(variables))
    if best is not None:
        arrays |= _numbered("best", best)
    return arrays | {"learning_rates": rates}


def restore_state(
    model: keras.Model, others: Mapping[str, Sequence[Any]], arrays: Mapping[str, np.ndarray]
) -> list[np.ndarray]:
    """Puts a captured state back and returns the weights to keep, best so far or current.

    Nothing is changed unless everything fits.

    Args:
        model: of the training.
        others: as for `capture_state`.
        arrays: what that returned.

    Raises:
        ValueError: the state belongs to another model or optimizer.
    """
    groups = {"model": model.variables, **others}
    values = {name: _gather(name, arrays) for name in groups}
    for name, variables in groups.items():
        _check(name, variables, values[name])
    for name, variables in groups.items():
        _assign(variables, values[name])
    return _gather("best", arrays) or values["model"]


def _numbered(prefix: str, values: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{prefix}/{index:05d}": value for index, value in enumerate(values)}


def _gather(prefix: str, arrays: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    return [arrays[name] for name in sorted(arrays) if name.startswith(f"{prefix}/")]


def _read(variables: Sequence[Any]) -> list[np.ndarray]:
    # np.array copies: TensorFlow may hand out a view of memory that the next step overwrites.
    return [np.array(variable.numpy()) for variable in variables]


def _check(name: str, variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    if len(variables) != len(values):
        raise ValueError(f"{name}: {len(values)} arrays, expected {len(variables)}")
    for number, (variable, value) in enumerate(zip(variables, values, strict=True)):
        if tuple(variable.shape) != value.shape:
            path = getattr(variable, "path", f"{name}/{number}")
            raise ValueError(f"{path}: shape {value.shape}, expected {tuple(variable.shape)}")


def _assign(variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
