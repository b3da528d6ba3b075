"""What a source gives: pairs of samples and labels, before anything is split or encoded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

# A part is one pair of arrays of a source. "all" is a source that comes without a split.
PART_ARRAYS = {
    "all": ("x", "y"),
    "train": ("x_train", "y_train"),
    "validation": ("x_val", "y_val"),
    "test": ("x_test", "y_test"),
}
# array: numbers, scaled by data.preprocessing; tokens: int32 indices, passed on as they are;
# images: uint8, decoded when asked for; table and text: encoded by what their training split has.
Kind = Literal["array", "tokens", "images", "table", "text"]

# 32 MB as float64: what one step over all samples holds at a time.
CHUNK_VALUES = 4_000_000
CHUNK_ROWS = 4096


@dataclass(frozen=True)
class Part:
    """One pair of arrays as it was read.

    Attributes:
        x: by kind: array and tokens (n, *input_shape), any numeric dtype; images
            data.images.ImageFiles, uint8 (n, height, width, channels); table data.table.Table;
            text object (n,) of str.
        y: (n, …), as the task asks for; None where the task needs none.
    """

    x: Any
    y: np.ndarray | None


@dataclass(frozen=True)
class SourceArrays:
    """The parts of a source.

    Attributes:
        origin: file or name of the source, for messages.
        parts: "all", or "train" with perhaps "validation" and "test".
        class_names: as the source tells them; None when it does not.
        kind: what the samples are.
    """

    origin: str
    parts: dict[str, Part]
    class_names: tuple[str, ...] | None
    kind: Kind = "array"


def digest_part(part: Part) -> str:
    """Returns the hex SHA-256 over the content of samples and labels, their types included."""
    digest = hashlib.sha256()
    for array in (part.x, part.y):
        if isinstance(array, np.ndarray):
            _update(digest, array)
        elif array is not None:  # a table, or images, which know the digests of their files
            digest.update(array.digest().encode())
    return digest.hexdigest()


def chunks(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yields slices that cover the first axis, a bounded number of values at a time.

    Args:
        shape: (n, *sample_shape).
    """
    values = max(int(np.prod(shape[1:])), 1)
    rows = min(max(CHUNK_VALUES // values, 1), CHUNK_ROWS)
    for start in range(0, shape[0], rows):
        yield slice(start, start + rows)


def _update(digest: Any, array: np.ndarray) -> None:
    digest.update(f"{array.dtype.str}{array.shape}".encode())
    if array.dtype.kind == "O":
        for value in array.reshape(-1):
            content = str(value).encode("utf-8", "surrogatepass")
            digest.update(f"{len(content)}:".encode() + content)
        return
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
