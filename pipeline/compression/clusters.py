"""Weights that share few values (Han et al. 2016, section 3): labels, and counts per channel."""

from __future__ import annotations

import numpy as np

from pipeline.compression.sparsity import count_distinct


def label_values(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Numbers the different values of a tensor.

    Args:
        values: any shape, finite; −0.0 and 0.0 are one value.

    Returns:
        int32 labels in the tensor's shape, from 0 in the order of the values, and how many
        different ones there are.
    """
    distinct, labels = np.unique(values, return_inverse=True)
    return labels.reshape(values.shape).astype(np.int32), int(distinct.size)


def most_distinct_in_a_channel(values: np.ndarray, axis: int) -> int:
    """Counts the different values of each slice along an axis, and returns the largest count.

    Args:
        values: rank ≥ 1, any numeric dtype.
        axis: of the channels, in [0, rank).

    Returns:
        0 for an empty tensor.
    """
    channels = np.moveaxis(values, axis, 0)
    return max((count_distinct(channel) for channel in channels), default=0)
