"""Files are whole or absent, and disks that are full say so."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from pipeline.artifacts.files import (
    sha256_file,
    sha256_json,
    storage_errors,
    write_bytes_atomic,
    write_json_atomic,
)
from pipeline.errors import StorageError


def test_writes_whole_files_and_makes_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.bin"
    write_bytes_atomic(path, b"one")
    write_bytes_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    write_bytes_atomic(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device; free space"):
        write_bytes_atomic(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_other_os_errors_stay_bugs(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), storage_errors(tmp_path):
        (tmp_path / "missing").read_bytes()


def test_json_refuses_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json_atomic(tmp_path / "x.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


def test_digests() -> None:
    assert sha256_json({"b": 1, "a": [1.5, None]}) == sha256_json({"a": [1.5, None], "b": 1})
    text = b'{"a":[1.5,null],"b":1}'
    assert sha256_json({"b": 1, "a": [1.5, None]}) == hashlib.sha256(text).hexdigest()


def test_sha256_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    assert sha256_file(path) == hashlib.sha256(b"abc").hexdigest()
