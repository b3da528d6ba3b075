"""What a source gives: pairs of samples and labels, before anything is split or scaled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

# A part is one pair of arrays of a source. "all" is a source that comes without a split.
PART_ARRAYS = {
    "all": ("x", "y"),
    "train": ("x_train", "y_train"),
    "validation": ("x_val", "y_val"),
    "test": ("x_test", "y_test"),
}


@dataclass(frozen=True)
class Part:
    """One pair of arrays as it was read.

    Attributes:
        x: (n, *input_shape), any numeric dtype.
        y: (n,), class indices.
    """

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class SourceArrays:
    """The parts of a source.

    Attributes:
        origin: file or name of the source, for messages.
        parts: "all", or "train" with perhaps "validation" and "test".
        class_names: as the source tells them; None when it does not.
    """

    origin: str
    parts: dict[str, Part]
    class_names: tuple[str, ...] | None


def digest_part(part: Part) -> str:
    """Returns the hex SHA-256 over dtype, shape and content of both arrays."""
    digest = hashlib.sha256()
    for array in (part.x, part.y):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
