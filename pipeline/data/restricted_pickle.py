"""Reads the pickles in which public sets are kept, without running what a pickle may ask for.

A pickle is a program: it names functions and calls them. Here the only ones it may name are the
three that rebuild an array, the same three as in Keras 3.15.1 (keras/src/datasets/npz_utils.py),
and the arrays must come out as plain numbers, or as lists of them.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from typing import Any

import numpy as np

from pipeline.data.npz import UNREADABLE

ALLOWED = frozenset(
    {
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        # as NumPy below 2, and from 2 on, calls it
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
    }
)
LARGEST_MEMBER = 1_000_000_000


class UnsafePickleError(ValueError):
    """The pickle asks for something that does not belong to an array of numbers."""


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Returns one of ALLOWED; anything else is refused."""
        if (module, name) not in ALLOWED:
            raise UnsafePickleError(f"asks for {module}.{name}, expected arrays of numbers only")
        return super().find_class("numpy._core.multiarray" if "core" in module else module, name)

    def persistent_load(self, identifier: Any) -> Any:
        """Refuses references to something outside."""
        raise UnsafePickleError("refers to something outside, expected arrays of numbers only")


def load_arrays(content: bytes) -> Any:
    """Reads a pickle of dictionaries, lists, numbers, bytes and arrays.

    Args:
        content: the pickle; strings of Python 2 become bytes.

    Raises:
        UnsafePickleError: it asks for anything else.
        ValueError: it is torn.
    """
    try:
        return _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
    except UnsafePickleError:
        raise
    except Exception as error:  # a damaged pickle raises nearly anything
        raise ValueError(f"not a whole pickle: {type(error).__name__}") from error


def load_object_npz(content: bytes) -> dict[str, np.ndarray]:
    """Reads an `.npz` file whose arrays may hold lists of numbers.

    Args:
        content: the file.

    Returns:
        name → array.

    Raises:
        UnsafePickleError: an array of objects asks for anything but arrays.
        ValueError: the file is torn or absurdly large.
    """
    arrays: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                if entry.file_size > LARGEST_MEMBER:
                    raise ValueError(f"{entry.filename} claims {entry.file_size} bytes")
                if entry.filename.endswith(".npy"):
                    member = archive.read(entry)
                    arrays[entry.filename.removesuffix(".npy")] = _read_member(member)
    except UnsafePickleError:
        raise
    except UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"not a whole .npz file ({reason}); download it again") from error
    return arrays


def _read_member(content: bytes) -> np.ndarray:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read_header = (
        np.lib.format.read_array_header_1_0
        if version[0] == 1
        else np.lib.format.read_array_header_2_0
    )
    _, _, dtype = read_header(file)
    if not dtype.hasobject:
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
    found = load_arrays(content[file.tell() :])
    if not isinstance(found, np.ndarray):
        raise UnsafePickleError(f"holds {type(found).__name__}, expected an array")
    return found
