"""What a split's samples are: something that gives rows, in memory or decoded when asked."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np


class Samples(Protocol):
    """Rows of one shape and dtype. A NumPy array is one; so are images that stay on disk.

    Whoever needs rows takes slices or index arrays, a batch at a time: the whole may be larger
    than memory. Taking rows is safe from several threads at once.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, *sample_shape)."""

    @property
    def dtype(self) -> Any:
        """NumPy dtype of every row."""

    def __len__(self) -> int:
        """The number of samples."""

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Rows as an array (b, *sample_shape), for a slice or an int64 array (b,)."""
