"""The kernels of a Keras model: what is pruned and quantized."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class KernelCount:
    """Elements and zeros of one kernel."""

    name: str
    parameters: int
    zeros: int


def count_kernel_zeros(model: keras.Model) -> list[KernelCount]:
    """Counts the zeros of every trainable weight of rank 2 or more.

    Args:
        model: any Keras model.

    Returns:
        One entry per kernel in the order of the model; biases and statistics are left out.
    """
    return [
        KernelCount(weight.path, int(np.prod(weight.shape)), int((values == 0).sum()))
        for weight in model.trainable_weights
        if len(weight.shape) >= 2
        for values in (np.asarray(weight),)
    ]
