"""Exact duplicates within and across splits, found by hashing rows."""

from __future__ import annotations

import hashlib

import numpy as np

CHUNK_ROWS = 4096


def hash_rows(x: np.ndarray, indices: np.ndarray, dtype: np.dtype) -> list[bytes]:
    """Hashes the chosen samples.

    Args:
        x: (n, ...), numeric.
        indices: int64 (m,), samples to hash.
        dtype: type to compare in, so that 1 and 1.0 of two arrays are equal.

    Returns:
        One 16-byte BLAKE2b digest per chosen sample.
    """
    digests: list[bytes] = []
    for start in range(0, len(indices), CHUNK_ROWS):
        rows = x[indices[start : start + CHUNK_ROWS]].astype(dtype)
        if dtype.kind == "f":
            rows += 0.0  # -0.0 and 0.0 differ in their bytes only
        flat = np.ascontiguousarray(rows).reshape(len(rows), -1)
        digests += [hashlib.blake2b(row.data, digest_size=16).digest() for row in flat]
    return digests


def count_duplicates(digests: dict[str, list[bytes]]) -> dict[str, int]:
    """Counts equal samples within each split and across each pair of splits.

    Args:
        digests: split → one digest per sample.

    Returns:
        "a": samples of a that repeat an earlier one of a; "a/b": samples of b that also occur
        in a, for each pair in the order given.
    """
    sets = {name: set(rows) for name, rows in digests.items()}
    names = list(digests)
    counts = {name: len(digests[name]) - len(sets[name]) for name in names}
    for position, first in enumerate(names):
        for second in names[position + 1 :]:
            counts[f"{first}/{second}"] = sum(row in sets[first] for row in digests[second])
    return counts
