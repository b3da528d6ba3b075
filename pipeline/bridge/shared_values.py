"""Weights that share a value go on sharing it: imposed after each step of a training.

tfmot's cluster-preserving scheme for QAT is not used. It clusters a convolution anew in each
channel (7 values of a kernel became 23, tfmot 0.8.1), knows Conv2D and Dense only, and is reported
to lose clusters and to set whole 1×1 kernels to zero (tensorflow/model-optimization#1056, #979).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.compression.clusters import label_values
from pipeline.compression.sparsity import count_distinct
from pipeline.errors import PromiseError

if TYPE_CHECKING:
    import tf_keras


@dataclass(frozen=True)
class SharedValues:
    """A kernel whose weights fall into groups of equal value.

    Attributes:
        variable: the kernel.
        labels: int32, the group of each weight, in the kernel's shape.
        groups: how many there are, ≥ 1.
    """

    variable: Any
    labels: np.ndarray
    groups: int


def find_shared_values(
    model: tf_keras.Model, kernels: Iterable[np.ndarray]
) -> list[SharedValues] | None:
    """Finds kernels in a model that tfmot has made, by their values: it renames some layers.

    Args:
        model: with the trainable weights.
        kernels: the values of each kernel, as they were before.

    Returns:
        One entry per kernel in order; None if one of them is not in the model.
    """
    left = [(variable, variable.numpy()) for variable in model.trainable_variables]
    found = []
    for kernel in kernels:
        equal = (n for n, (_, values) in enumerate(left) if np.array_equal(values, kernel))
        place = next(equal, None)
        if place is None:
            return None
        variable, values = left.pop(place)
        found.append(SharedValues(variable, *label_values(values)))
    return found


def share_values(kernels: Sequence[SharedValues]) -> Callable[[], None]:
    """Returns what gives each weight the mean of its group, inside the graph or out of it.

    Under gradient descent that is a step along the group's mean gradient. A group of zeros that
    stay zeros keeps the value 0 exactly.
    """
    import tensorflow as tf

    def impose() -> None:
        for kernel in kernels:
            labels = tf.constant(kernel.labels)
            means = tf.math.unsorted_segment_mean(kernel.variable, labels, kernel.groups)
            kernel.variable.assign(tf.gather(means, labels))

    return impose


def check_shared(section: str, kernels: Iterable[SharedValues], advice: str) -> None:
    """Checks that no kernel has more different values than groups.

    Raises:
        PromiseError: names the first one that has, with both counts.
    """
    for kernel in kernels:
        distinct = count_distinct(kernel.variable.numpy())
        if distinct > kernel.groups:
            raise PromiseError(
                f"{section}: {kernel.variable.name} has {distinct} different values after "
                f"training, promised at most the {kernel.groups} that it had; {advice}"
            )
