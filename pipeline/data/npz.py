"""Reading `.npz` files: pairs of arrays under fixed names, never pickled objects.

A single `.npy` array is samples without answers.
"""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.data.arrays import PART_ARRAYS, Part, SourceArrays
from pipeline.errors import DataError

CLASS_NAMES = "class_names"
EXPECTED = (
    "expected x_train, y_train and perhaps x_val, y_val, x_test, y_test, or plain x, y; "
    "class_names may come along, and data.task reconstruction and parity need no y"
)
# What NumPy and zipfile raise on a torn or foreign file; MemoryError for an absurd shape.
UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    MemoryError,
    SyntaxError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_npz(
    path: Path, parts: frozenset[str] | None = None, expected_sha256: str | None = None
) -> SourceArrays:
    """Reads the asked parts of an `.npz` file; members that are not asked for stay unread.

    A `.npy` file is the part "all", without answers.

    Args:
        path: the file.
        parts: parts to read ("all", "train", "validation", "test"); None for all there are.
        expected_sha256: hex digest of the whole file that is expected; None for any.

    Returns:
        The arrays as they are in the file, not yet validated.

    Raises:
        DataError: no such file, torn, other arrays than expected, or another content.
    """
    with _open(path, expected_sha256) as archive:
        if isinstance(archive, np.ndarray):
            return SourceArrays(str(path), {"all": Part(archive, None)}, None)
        present = find_parts(str(path), set(archive.files))
        chosen = [part for part in present if parts is None or part in parts]
        arrays = {part: _read_part(archive, path, part) for part in chosen}
        names = _class_names(archive, path) if CLASS_NAMES in archive.files else None
    return SourceArrays(str(path), arrays, names)


def find_parts(origin: str, names: set[str]) -> tuple[str, ...]:
    """Tells which parts a file has, from the names of its arrays.

    Args:
        origin: the file, for messages.
        names: names of its arrays.

    Returns:
        ("all",), or "train" with perhaps "validation" and "test".

    Raises:
        DataError: an unknown name, half of a pair, both forms at once, or no training data.
    """
    received = f"{origin}: received the arrays {', '.join(sorted(names)) or '(none)'}"
    known = {name for pair in PART_ARRAYS.values() for name in pair} | {CLASS_NAMES}
    if unknown := sorted(names - known):
        raise DataError(f"{received}; unknown: {', '.join(unknown)}; {EXPECTED}")
    labelled = any(y in names for _, y in PART_ARRAYS.values())
    for x, y in PART_ARRAYS.values():
        # Without any labels it is data for reconstruction or parity: checked with the task.
        missing = [name for name in (x, y) if name not in names]
        if missing == [x] or (missing == [y] and labelled):
            raise DataError(f"{received}; {missing[0]} is missing; {EXPECTED}")
    present = tuple(part for part, pair in PART_ARRAYS.items() if pair[0] in names)
    if "all" in present and len(present) > 1:
        raise DataError(f"{received}: both plain x, y and split arrays; {EXPECTED}")
    if not {"all", "train"} & set(present):
        raise DataError(f"{received}; training data is missing; {EXPECTED}")
    return present


def _read_part(archive: np.lib.npyio.NpzFile, path: Path, part: str) -> Part:
    x, y = PART_ARRAYS[part]
    samples = _member(archive, path, x)
    return Part(samples, _member(archive, path, y) if y in archive.files else None)


@contextlib.contextmanager
def _open(path: Path, expected_sha256: str | None) -> Iterator[np.lib.npyio.NpzFile | np.ndarray]:
    try:
        file = path.open("rb")
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"data.path {path}: {reason}; expected a readable .npz file") from error
    with file:
        # Hashed and read through one handle: a file replaced in between is not mixed in.
        if expected_sha256 is not None:
            if hashlib.file_digest(file, "sha256").hexdigest() != expected_sha256:
                raise DataError(f"{path}: changed after the run was planned; run the command again")
            file.seek(0)
        try:
            archive = np.load(file, allow_pickle=False)
        except UNREADABLE as error:
            raise _unreadable(path, error) from error
        if not isinstance(archive, np.lib.npyio.NpzFile):
            yield np.asarray(archive)
            return
        with archive:
            yield archive


def _member(archive: np.lib.npyio.NpzFile, path: Path, name: str) -> np.ndarray:
    try:
        return archive[name]
    except UNREADABLE as error:
        if "allow_pickle" in str(error):
            raise DataError(
                f"{path}: {name} holds Python objects, expected a plain array of numbers (objects "
                f"could run code when read); save it with a numeric dtype"
            ) from error
        raise _unreadable(f"{path}: {name}", error) from error


def _class_names(archive: np.lib.npyio.NpzFile, path: Path) -> tuple[str, ...]:
    names = _member(archive, path, CLASS_NAMES)
    if names.ndim != 1 or names.dtype.kind not in "US":
        raise DataError(
            f"{path}: class_names has dtype {names.dtype} and shape {names.shape}; expected a "
            f"1-D array of strings, one per class"
        )
    texts = np.char.decode(names, "utf-8") if names.dtype.kind == "S" else names
    return tuple(str(name) for name in texts)


def _unreadable(what: Path | str, error: BaseException) -> DataError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return DataError(f"{what}: not a whole .npz file ({reason}); write it again with np.savez")
