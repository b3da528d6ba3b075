"""Weights in an `.npz`: one plain array per weight under "layer/weight", never an object."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import UntrustedModelError
from pipeline.models.stored_array import StoredArray, StoredLayers

# What NumPy and zipfile raise on a torn, packed otherwise or foreign file.
UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    RuntimeError,  # encrypted; NotImplementedError, of an unknown packing, is one too
    MemoryError,
    SyntaxError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def npz_layers(path: Path, layers: Sequence[Any]) -> Iterator[StoredLayers]:
    """Opens a weights file and lists what it holds for a model.

    Args:
        path: the file.
        layers: the model's layers; weights are looked up as "<layer>/<weight>", as in
            "Conv1/kernel" or "bn_Conv1/moving_mean".

    Yields:
        The arrays by layer, for layers of which all weights are there. Readable while it is open.

    Raises:
        UntrustedModelError: no whole `.npz` file, or an array that is no number.
    """
    try:
        archive = zipfile.ZipFile(path)
    except UNREADABLE as error:
        raise _unreadable(path, error) from error
    with archive:
        present = set(archive.namelist())
        found: StoredLayers = {}
        for layer in layers:
            names = [f"{layer.name}/{weight.name}.npy" for weight in layer.weights]
            if names and present.issuperset(names):
                found[layer.name] = [_array(archive, name, path) for name in names]
        yield found


def npy_header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Returns shape and dtype of an array in an `.npz`; the array itself stays unread.

    Raises:
        ValueError, OSError, …: one of UNREADABLE.
    """
    with archive.open(name) as member:
        version = np.lib.format.read_magic(member)
        header = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = header(member)
    return tuple(shape), dtype


def _array(archive: zipfile.ZipFile, name: str, path: Path) -> StoredArray:
    """Reads the header alone: nothing is unpacked before its shape is known to fit."""
    try:
        shape, dtype = npy_header(archive, name)
    except UNREADABLE as error:
        raise _unreadable(path, error) from error
    if dtype.kind not in "fiu":
        raise UntrustedModelError(
            f"model.weights {path}: '{name}' has dtype {dtype}, expected numbers"
        )

    def read() -> np.ndarray:
        try:
            with archive.open(name) as member:
                return np.lib.format.read_array(member, allow_pickle=False)
        except UNREADABLE as error:
            raise _unreadable(path, error) from error

    return StoredArray(tuple(shape), dtype, read)


def _unreadable(path: Path, error: BaseException) -> UntrustedModelError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return UntrustedModelError(
        f"model.weights {path}: not a whole .npz file ({reason}); save the weights again"
    )
