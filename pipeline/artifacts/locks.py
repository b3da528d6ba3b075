"""Kernel locks, released by the kernel when their process dies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pipeline.artifacts.files import storage_errors
from pipeline.errors import BusyError


@contextlib.contextmanager
def hold_lock(path: Path, busy: str, wait: bool = False) -> Iterator[None]:
    """Holds the lock file `path` while the block runs.

    Args:
        path: the lock file; it stays there when the lock is released.
        busy: what to tell when someone else holds it.
        wait: wait for it instead of failing.

    Raises:
        BusyError: someone else holds it and `wait` is False.
        StorageError: the lock file cannot be written.
    """
    from filelock import FileLock, Timeout

    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=-1 if wait else 0, thread_local=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise BusyError(busy) from error
    try:
        yield
    finally:
        lock.release()


def is_locked(path: Path) -> bool:
    """True if another process holds the lock file now."""
    try:
        with hold_lock(path, "held"):
            return False
    except BusyError:
        return True
