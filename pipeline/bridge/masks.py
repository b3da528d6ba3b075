"""Zeros that training must leave alone: found, imposed after each step, and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.state import last_name
from pipeline.errors import PromiseError

if TYPE_CHECKING:
    import tf_keras

# A variable of a kernel and, bool in its shape, where it may be other than zero.
Mask = tuple[Any, np.ndarray]


def zero_masks(model: tf_keras.Model) -> list[Mask]:
    """Finds the kernels that hold zeros, and where. Biases of attention have two axes as well."""
    masks = []
    for variable in model.trainable_variables:
        values, name = variable.numpy(), last_name(variable)
        is_kernel = values.ndim >= 2 and ("kernel" in name or "embeddings" in name)
        if is_kernel and np.any(values == 0):
            masks.append((variable, values != 0))
    return masks


def mask_weights(masks: Iterable[Mask]) -> Callable[[], None]:
    """Returns what imposes the masks, inside the graph or out of it."""
    import tensorflow as tf

    # Tensors are captured by a graph; of arrays it would hold a copy in float32 in its definition.
    held = [(variable, tf.constant(mask)) for variable, mask in masks]

    def impose() -> None:
        for variable, mask in held:
            variable.assign(variable * tf.cast(mask, variable.dtype))

    return impose


def count_masked(masks: Iterable[Mask]) -> int:
    """Returns how many zeros the masks hold."""
    return sum(int(np.sum(~mask)) for _, mask in masks)


def check_masked(section: str, masks: Iterable[Mask], advice: str) -> None:
    """Checks that every masked weight is zero.

    Args:
        section: of the configuration, for the error.
        masks: each with the variable to look at.
        advice: what to do, for the error.

    Raises:
        PromiseError: names the first kernel that lost some.
    """
    for variable, mask in masks:
        lost = int(np.sum(~mask & (np.asarray(variable) != 0)))
        if lost:
            name = getattr(variable, "path", variable.name)
            raise PromiseError(
                f"{section}: {lost} of {int(np.sum(~mask))} zeros of {name} were lost in "
                f"training; {advice}"
            )
