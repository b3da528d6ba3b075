"""Local files of Keras's bundled sets, in the layouts that keras.datasets downloads (3.15.1)."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.arrays import PART_ARRAYS, Part, SourceArrays
from pipeline.data.npz import read_npz
from pipeline.data.restricted_pickle import UnsafePickleError, load_arrays, load_object_npz
from pipeline.errors import DataError

Parts = frozenset[str] | None
# How keras.datasets cuts its pooled sets: load_data(test_split=0.2, seed=113).
POOLED_SEED, POOLED_TRAIN = 113, 0.8
LARGEST_ARCHIVE = 400_000_000  # CIFAR has 180 MB unpacked
CIFAR_FILES: dict[str, dict[str, tuple[str, ...]]] = {
    "keras:cifar10": {
        "train": tuple(f"cifar-10-batches-py/data_batch_{i}" for i in range(1, 6)),
        "test": ("cifar-10-batches-py/test_batch",),
    },
    "keras:cifar100": {
        "train": ("cifar-100-python/train",),
        "test": ("cifar-100-python/test",),
    },
}


def read_split(
    path: Path, name: str, parts: Parts, expected_sha256: str | None, labels: str
) -> SourceArrays:
    """Reads x_train, y_train, x_test, y_test: MNIST, Fashion-MNIST, IMDB.

    Args:
        path: `.npz` file.
        name: of the source, for messages.
        parts: parts to read; None for both.
        expected_sha256: digest that the file must have; None for any.
        labels: not used; of CIFAR-100 alone.
    """
    if name == "keras:imdb":
        arrays = _read_objects(path, expected_sha256)
        pairs = {part: PART_ARRAYS[part] for part in ("train", "test")}
        _require(path, name, arrays, [array for pair in pairs.values() for array in pair])
        found = {part: Part(arrays[x], arrays[y]) for part, (x, y) in pairs.items()}
        return SourceArrays(str(path), _chosen(found, parts), None)
    source = read_npz(path, parts, expected_sha256)
    if source.class_names is not None or not source.parts.keys() <= {"train", "test"}:
        raise DataError(
            f"{path}: {name} expects x_train, y_train, x_test, y_test and nothing else; "
            f"use data.source npz for other data"
        )
    return source


def read_pooled(
    path: Path, name: str, parts: Parts, expected_sha256: str | None, labels: str
) -> SourceArrays:
    """Reads x and y and cuts them as keras.datasets does: the housing sets, Reuters.

    Args:
        path: `.npz` file.
        name: of the source, for messages.
        parts: parts to keep; None for both.
        expected_sha256: digest that the file must have; None for any.
        labels: not used; of CIFAR-100 alone.
    """
    arrays = _read_objects(path, expected_sha256)
    _require(path, name, arrays, ["x", "y"])
    x, y = arrays["x"], arrays["y"]
    if x.ndim == 0 or len(x) != len(y):
        raise DataError(f"{path}: x and y differ in length; expected one answer per sample")
    order = np.arange(len(x))
    np.random.RandomState(POOLED_SEED).shuffle(order)
    cut = int(len(x) * POOLED_TRAIN)
    found = {
        part: Part(x[rows], y[rows])
        for part, rows in (("train", order[:cut]), ("test", order[cut:]))
    }
    return SourceArrays(str(path), _chosen(found, parts), None)


def read_cifar(
    path: Path, name: str, parts: Parts, expected_sha256: str | None, labels: str
) -> SourceArrays:
    """Reads the archive of the Python version, or an `.npz` file of the same images.

    Args:
        path: cifar-10-python.tar.gz, cifar-100-python.tar.gz, or `.npz`.
        name: of the source.
        parts: parts to read; None for both.
        expected_sha256: digest that the file must have; None for any.
        labels: "fine" or "coarse", of CIFAR-100's archive.

    Raises:
        DataError: not such a file, or one that holds anything but arrays.
    """
    if path.suffix == ".npz":
        if name == "keras:cifar100" and labels == "coarse":
            raise DataError(
                f"{path}: data.keras.labels coarse is read from cifar-100-python.tar.gz; give "
                f"that file, or use data.source npz"
            )
        return read_split(path, name, parts, expected_sha256, labels)
    key = "labels" if name == "keras:cifar10" else f"{labels}_labels"
    found = {}
    with _open_tar(path, expected_sha256) as archive:
        for part, members in CIFAR_FILES[name].items():
            if parts is not None and part not in parts:
                continue
            batches = [_read_batch(archive, path, member, key) for member in members]
            x, y = (np.concatenate([batch[i] for batch in batches]) for i in (0, 1))
            found[part] = Part(x, y)
    return SourceArrays(str(path), found, None)


def _open_tar(path: Path, expected_sha256: str | None) -> tarfile.TarFile:
    try:
        content = path.read_bytes()
        _require_digest(path, content, expected_sha256)
        # Unpacked to its end, because only then gzip compares its checksum.
        unpacked = gzip.GzipFile(fileobj=io.BytesIO(content)).read(LARGEST_ARCHIVE)
        if len(unpacked) == LARGEST_ARCHIVE:
            raise OSError("far larger than CIFAR")
        return tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:")
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"{path}: cannot be read as .tar.gz ({reason}); expected the archive of CIFAR's Python "
            f"version, or .npz with x_train, y_train, x_test, y_test"
        ) from error


def _read_batch(
    archive: tarfile.TarFile, path: Path, member: str, key: str
) -> tuple[np.ndarray, np.ndarray]:
    """Returns uint8 (n, 32, 32, 3) and int64 (n,) of one pickled batch."""
    try:
        file = archive.extractfile(member)
        batch = load_arrays(b"" if file is None else file.read())
        rows = np.asarray(batch[b"data"], np.uint8)
        labels = np.asarray(batch[key.encode()], np.int64)
        images = rows.reshape(len(rows), 3, 32, 32).transpose(0, 2, 3, 1)
    except UnsafePickleError as error:
        raise DataError(f"{path}: {member} {error}; it is not CIFAR's; nothing was run") from error
    except (OSError, EOFError, KeyError, TypeError, ValueError, tarfile.TarError, zlib.error) as e:
        raise DataError(f"{path}: {member} is not a whole batch of CIFAR ({e})") from e
    if labels.shape != (len(images),):
        raise DataError(f"{path}: {member} has {len(images)} images and {labels.shape} labels")
    return np.ascontiguousarray(images), labels


def _read_objects(path: Path, expected_sha256: str | None) -> dict[str, np.ndarray]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"data.path {path}: {error.strerror or error}; expected a readable .npz file"
        ) from error
    _require_digest(path, content, expected_sha256)
    try:
        return load_object_npz(content)
    except UnsafePickleError as error:
        raise DataError(f"{path}: {error}; it is not Keras's file; nothing was run") from error
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error


def _require_digest(path: Path, content: bytes, expected_sha256: str | None) -> None:
    if expected_sha256 is not None and hashlib.sha256(content).hexdigest() != expected_sha256:
        raise DataError(f"{path}: changed after the run was planned; run the command again")


def _require(path: Path, name: str, arrays: dict[str, Any], wanted: list[str]) -> None:
    if set(arrays) != set(wanted):
        raise DataError(
            f"{path}: received the arrays {', '.join(sorted(arrays)) or '(none)'}; {name} expects "
            f"{', '.join(wanted)} and nothing else; use data.source npz for other data"
        )


def _chosen(found: dict[str, Part], parts: Parts) -> dict[str, Part]:
    return {part: pair for part, pair in found.items() if parts is None or part in parts}
