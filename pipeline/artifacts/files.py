"""Files that are whole or absent: temporary name, fsync, rename, fsync of the folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.errors import StorageError

# What an operating system answers when a disk or a permission, not a bug, is in the way.
STORAGE_ERRNOS = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turns a full disk or a missing permission into a StorageError that names the path."""
    try:
        yield
    except OSError as error:
        if error.errno not in STORAGE_ERRNOS:
            raise
        where = error.filename or path
        raise StorageError(
            f"{where}: {error.strerror}; free space or choose another folder with --artifacts"
        ) from error


def sync(path: Path) -> None:
    """Makes a file's content, or the renames within a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes_atomic(path: Path, data: bytes) -> None:
    """Writes `data` to `path`: a reader sees the old file or the new one, never a part.

    Args:
        path: target; its folder is made if it is missing.
        data: the whole content.

    Raises:
        StorageError: the disk is full or the path may not be written.
    """
    write_atomic(path, lambda file: file.write(data))


def write_atomic(path: Path, write: Callable[[BinaryIO], Any]) -> None:
    """Has `write` fill a file that appears at `path` when it is whole.

    Args:
        path: target; its folder is made if it is missing.
        write: given the open file, at its start; for content too large to be held at once.

    Raises:
        StorageError: the disk is full or the path may not be written.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync(path.parent)


def write_json_atomic(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON (NaN and infinities are a ValueError), atomically."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes_atomic(path, text.encode())


def sha256_file(path: Path) -> str:
    """Returns the hex SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_json(value: Any) -> str:
    """Returns the hex SHA-256 of `value` as canonical JSON (sorted keys, no spaces)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
