"""Checkpoints of any training as plain arrays: atomic, digest-checked, the last two kept.

One file per epoch, `epoch-00000012.checkpoint`:

    8 bytes   magic "SLIMCKP1"
    32 bytes  SHA-256 of everything that follows
    8 bytes   length of the header, little endian
    header    JSON: {"epoch", "state", "arrays": [{"name", "dtype", "shape"}, …]}
    arrays    their bytes in C order, one after the other

Nothing in it is pickled, so reading one cannot run code; and nothing in it depends on a
framework, so Keras 3 and tf_keras trainings share it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pipeline.artifacts.files import write_atomic
from pipeline.errors import ArtifactError

MAGIC = b"SLIMCKP1"
PREFIX_BYTES = len(MAGIC) + 32 + 8
KEPT = 2


@dataclass(frozen=True)
class Checkpoint:
    """What a training needs to go on: `epoch` epochs are done."""

    epoch: int
    arrays: dict[str, np.ndarray]
    state: dict[str, Any]


def save_checkpoint(
    directory: Path, epoch: int, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]
) -> Path:
    """Writes one checkpoint atomically, then removes all but the last two.

    Args:
        directory: folder of this training's checkpoints; made if absent.
        epoch: number of finished epochs, 0 or more.
        arrays: numeric or boolean arrays by name; any shape. Each is asked for twice and then let
            go, so a mapping that makes them when asked holds one at a time.
        state: what JSON can hold (ints, finite floats, strings, None, lists, dicts).

    Returns:
        The path of the new file.

    Raises:
        StorageError: the disk is full or the folder may not be written.
        TypeError, ValueError: `arrays` or `state` hold something else (a bug in the caller).
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"epoch-{epoch:08d}.checkpoint"
    write_atomic(path, lambda file: _write(file, epoch, arrays, state))
    for old in _newest_first(directory)[KEPT:]:
        old.unlink(missing_ok=True)
    return path


def load_checkpoint(directory: Path) -> Checkpoint | None:
    """Reads the newest whole checkpoint; a torn one falls back to the one before.

    Args:
        directory: folder of this training's checkpoints; it may be absent.

    Returns:
        The checkpoint, or None if there is no whole one.
    """
    for path in _newest_first(directory):
        try:
            return decode_checkpoint(path.read_bytes())
        except (ArtifactError, FileNotFoundError):
            continue
    return None


def _write(
    file: BinaryIO, epoch: int, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]
) -> None:
    """Writes the file (format at the top of this module), one array after the other.

    A checkpoint may be several times the size of a model, whose training fills the memory.
    """
    header = {
        "epoch": epoch,
        "state": state,
        "arrays": [_describe(name, array) for name, array in arrays.items()],
    }
    text = json.dumps(header, allow_nan=False).encode()
    file.write(MAGIC + bytes(32))
    digest = hashlib.sha256()
    for part in (len(text).to_bytes(8, "little"), text):
        digest.update(part)
        file.write(part)
    for array in arrays.values():
        data = array.tobytes()
        digest.update(data)
        file.write(data)
    file.seek(len(MAGIC))
    file.write(digest.digest())


def _describe(name: str, array: np.ndarray) -> dict[str, Any]:
    if array.dtype.kind not in "biuf" or not array.dtype.isnative:
        raise TypeError(f"checkpoint array {name!r} has dtype {array.dtype}, expected numbers")
    return {"name": name, "dtype": array.dtype.name, "shape": list(array.shape)}


def decode_checkpoint(data: bytes) -> Checkpoint:
    """Reads the bytes of a checkpoint file.

    Returns:
        The checkpoint; its arrays are read-only views of `data`.

    Raises:
        ArtifactError: torn, altered or of another kind.
    """
    if len(data) < PREFIX_BYTES or data[: len(MAGIC)] != MAGIC:
        raise ArtifactError(
            f"not a checkpoint: {len(data)} bytes beginning {data[:8]!r}, expected {MAGIC!r}; "
            "delete it to start this training again"
        )
    body = memoryview(data)[len(MAGIC) + 32 :]
    if hashlib.sha256(body).digest() != data[len(MAGIC) : len(MAGIC) + 32]:
        raise ArtifactError(
            f"torn checkpoint: the digest of its {len(data)} bytes is not the recorded one; "
            "delete it to start this training again"
        )
    header_end = PREFIX_BYTES + int.from_bytes(body[:8], "little")
    header = json.loads(data[PREFIX_BYTES:header_end])
    arrays: dict[str, np.ndarray] = {}
    offset = header_end
    for entry in header["arrays"]:
        dtype, shape = np.dtype(entry["dtype"]), tuple(entry["shape"])
        count = math.prod(shape)
        array = np.frombuffer(data, dtype, count, offset) if count else np.empty(0, dtype)
        arrays[entry["name"]] = array.reshape(shape)
        offset += count * dtype.itemsize
    return Checkpoint(header["epoch"], arrays, header["state"])


def _newest_first(directory: Path) -> list[Path]:
    return sorted(directory.glob("epoch-*.checkpoint"), reverse=True)
