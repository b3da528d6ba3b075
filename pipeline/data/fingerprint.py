"""A cheap description of a data source, for cache keys: no array is read for it.

Only the standard library is imported: an unchanged run must know in a moment that it is unchanged.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.artifacts.files import write_json_atomic
from pipeline.data.python_source import describe_function
from pipeline.data.source_files import digest_files, source_files
from pipeline.data.tfds import describe_tfds
from pipeline.errors import DataError

if TYPE_CHECKING:
    from pipeline.config.data import DataConfig

# The package whose version names the content of a set that has no file of its own.
BUNDLED = {"digits": "scikit-learn", "keras:": "keras"}
# A file changed twice within one tick of the file system's clock keeps its times, so a digest is
# remembered only once the file has rested for longer than that.
SETTLED_NS = 2_000_000_000


def describe_source(config: DataConfig, cache: Path) -> dict[str, Any]:
    """Describes what the source holds.

    Args:
        config: the data section.
        cache: JSON file in which file digests are remembered; made when it is missing.

    Returns:
        {"source", "sha256", "size_bytes"} for files, wherever they lie, with "files", their
        number, for several, and "decoder" for images;
        {"source", "package", "version"} for a bundled set;
        {"source", "version"} for a function, or {"source", "called"} with the time, so that it
        is read again each time, where it tells no version.

    Raises:
        DataError: a file is missing or unreadable, a package is not installed, or the module of
            a function cannot be imported.
    """
    source = config.source
    if source.startswith("python:"):
        return {"source": source, **describe_function(source)}
    if source.startswith("tfds:"):
        return {"source": source, **describe_tfds(source)}
    if config.path is not None:
        described = {"source": source, **describe_files(source_files(config), cache)}
        # Another decoder may give other pixels.
        decoder = {"decoder": f"pillow {version_of('pillow', source)}"}
        return {**described, **decoder} if source == "images" else described
    package = next((name for prefix, name in BUNDLED.items() if source.startswith(prefix)), None)
    if package is None:
        raise DataError(f"data.source {source}: received no data.path; give the file")
    return {"source": source, "package": package, "version": version_of(package, source)}


def version_of(package: str, source: str) -> str:
    """Returns the version of a package that a source needs; DataError where it is missing."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise DataError(
            f"data.source {source}: the package {package} is not installed; install it: "
            f"pip install {package}"
        ) from error


def describe_files(files: dict[str, Path], cache: Path, field: str = "data.path") -> dict[str, Any]:
    """Describes files by content; `field` names them in errors, `cache` remembers digests."""
    known = _read_cache(cache)
    settled: dict[str, Any] = {}
    digests, size = [], 0
    for name, path in files.items():
        digest, stamp, key = _describe_file(path, known, field)
        digests.append((name, digest))
        size += stamp[0]
        if key not in known or known[key].get("stamp") != stamp:
            settled[key] = {"stamp": stamp, "sha256": digest}
    rested = time.time_ns() - SETTLED_NS
    settled = {key: e for key, e in settled.items() if max(e["stamp"][1:3]) < rested}
    if settled:
        write_json_atomic(cache, {**known, **settled})
    described = {"sha256": digest_files(digests), "size_bytes": size}
    return described if list(files) == [""] else {**described, "files": len(files)}


def _describe_file(path: Path, known: dict[str, Any], field: str) -> tuple[str, list[int], str]:
    """Returns digest and stamp of a file, and its key in the cache."""
    try:
        with path.open("rb") as file:
            before = _stamp(os.fstat(file.fileno()))
            key = str(path.resolve())
            entry = known.get(key)
            if isinstance(entry, dict) and entry.get("stamp") == before:
                return entry["sha256"], before, key
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            after = _stamp(os.fstat(file.fileno()))
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{field} {path}: {reason}; expected a readable file") from error
    if before != after:
        raise DataError(f"{field} {path}: is being written; wait until it is whole")
    return digest, after, key


def _stamp(status: os.stat_result) -> list[int]:
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev]


def _read_cache(cache: Path) -> dict[str, Any]:
    """Returns the remembered digests; a missing or torn cache remembers nothing."""
    try:
        known = json.loads(cache.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {key: entry for key, entry in known.items() if isinstance(entry, dict)}
