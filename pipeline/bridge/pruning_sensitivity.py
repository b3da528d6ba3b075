"""How much the loss rises when one layer loses its smallest weights, on validation samples."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.predict import evaluate
from pipeline.data.representative import take_representative
from pipeline.training.sensitivity import measure_curves

if TYPE_CHECKING:
    import tf_keras

    from pipeline.artifacts.measurements import Measurements
    from pipeline.data.prepared import PreparedData
    from pipeline.progress import Progress

# Of the zeros that a layer may get; close together where losses begin to rise.
MEASURED_FRACTIONS = (0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0)


def measure_pruning(
    plain: tf_keras.Model,
    kernels: Sequence[Sequence[Any]],
    most: np.ndarray,
    data: PreparedData,
    samples: int,
    seed: int,
    known: Measurements,
    progress: Progress,
) -> list[dict[int, float]]:
    """Sets the smallest weights of one layer at a time to zero, and evaluates.

    Args:
        plain: unchanged on return.
        kernels: of each layer, variables of `plain`.
        most: int (layers,), zeros that each layer may get.
        data: with the validation split.
        samples: so many of its validation samples are looked at.
        seed: chooses these.
        known: losses that a killed process measured of this model, and where new ones go.
        progress: shows a bar over the layers.

    Returns:
        For each layer: zeros → how much the loss rose.
    """
    split = take_representative(data.validation, data.task, samples, seed)
    damages = [
        {
            count: functools.partial(zeroed, own, count)
            for count in sorted({round(part * limit) for part in MEASURED_FRACTIONS} - {0})
        }
        for own, limit in zip(kernels, most.tolist(), strict=True)
    ]
    return measure_curves(
        lambda: evaluate(plain, split, data.task)["loss"], damages, known, progress
    )


@contextmanager
def zeroed(kernels: Sequence[Any], count: int) -> Iterator[None]:
    """Holds the smallest weights at zero, the same fraction of each kernel, for a while.

    Args:
        kernels: variables, put back in the end.
        count: of all of them together, within one of each kernel.
    """
    before = [kernel.numpy() for kernel in kernels]
    fraction = count / sum(values.size for values in before)
    try:
        for kernel, values in zip(kernels, before, strict=True):
            thinned = values.reshape(-1).copy()
            thinned[np.argsort(np.abs(thinned))[: round(fraction * values.size)]] = 0
            kernel.assign(thinned.reshape(values.shape))
        yield
    finally:
        for kernel, values in zip(kernels, before, strict=True):
            kernel.assign(values)
