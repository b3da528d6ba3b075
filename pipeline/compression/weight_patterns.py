"""Zeros in patterns: whole blocks of a matrix, and m of n weights in a row."""

from __future__ import annotations

import numpy as np


def block_means(matrix: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns the mean magnitude of each block; 0 exactly where the whole block is zero.

    Args:
        matrix: (rows, columns), whole multiples of the block.
        height, width: of a block, ≥ 1.

    Returns:
        float64 (rows / height, columns / width).
    """
    rows, columns = matrix.shape
    blocks = matrix.reshape(rows // height, height, columns // width, width)
    return np.abs(blocks.astype(np.float64)).mean(axis=(1, 3))


def count_zero_blocks(matrix: np.ndarray, height: int, width: int) -> int:
    """Counts the blocks that are zero as a whole; see `block_means`."""
    return int(np.count_nonzero(block_means(matrix, height, width) == 0))


def count_groups(matrix: np.ndarray, zeros: int, size: int) -> int:
    """Counts the groups of `size` weights in a row with at least `zeros` zeros.

    Args:
        matrix: (rows, columns), columns a multiple of `size`.
        zeros: 1 to size.
        size: of a group: columns 0 to size - 1 of a row, and so on.
    """
    groups = matrix.reshape(-1, size)
    return int(np.count_nonzero((groups == 0).sum(axis=1) >= zeros))
