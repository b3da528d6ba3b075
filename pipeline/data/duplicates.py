"""Exact duplicates within and across splits, found by hashing rows."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from pipeline.data.arrays import chunks
from pipeline.data.table import Table


def hash_rows(x: Any, indices: np.ndarray, dtype: np.dtype | None = None) -> list[bytes]:
    """Hashes the chosen samples.

    Args:
        x: numeric samples (n, ...), a Table, or texts, object (n,).
        indices: int64 (m,), samples to hash.
        dtype: of numeric samples: type to compare in, so that 1 and 1.0 of two arrays are equal.

    Returns:
        One 16-byte BLAKE2b digest per chosen sample.
    """
    if dtype is None:
        columns = list(x.columns.values()) if isinstance(x, Table) else [x]
        chosen = (column[indices].tolist() for column in columns)
        found = zip(*chosen, strict=True)
        return [_digest(repr(row).encode("utf-8", "surrogatepass")) for row in found]
    digests: list[bytes] = []
    for rows in chunks((len(indices), *x.shape[1:])):
        values = x[indices[rows]].astype(dtype)
        if dtype.kind == "f":
            values += 0.0  # -0.0 and 0.0 differ in their bytes only
        flat = np.ascontiguousarray(values).reshape(len(values), -1)
        digests += [_digest(row.data) for row in flat]
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


def _digest(content: Any) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
