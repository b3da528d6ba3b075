"""An array that lies in a weights file: what the file says of it, and how to read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class StoredArray:
    """An array in the file, not read yet.

    Attributes:
        shape: as the file states it.
        dtype: likewise; a number type.
        read: reads it; called only once the shape is the expected one.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[], np.ndarray]


# Layer → its arrays, in the order of the layer's weights; layers in the order of the file.
StoredLayers = dict[str, list[StoredArray]]
