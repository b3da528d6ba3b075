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
from pipeline.errors import DataError

if TYPE_CHECKING:
    from pipeline.config.data import DataConfig

# The package whose version names the content of a set that has no file of its own.
BUNDLED = {
    "digits": "scikit-learn",
    "keras:mnist": "keras",
    "keras:fashion_mnist": "keras",
}
# A file changed twice within one tick of the file system's clock keeps its times, so a digest is
# remembered only once the file has rested for longer than that.
SETTLED_NS = 2_000_000_000


def describe_source(config: DataConfig, cache: Path) -> dict[str, Any]:
    """Describes what the source holds.

    Args:
        config: source and path.
        cache: JSON file in which file digests are remembered; made when it is missing.

    Returns:
        {"source", "sha256", "size_bytes"} for a file, wherever it lies;
        {"source", "package", "version"} for a bundled set.

    Raises:
        DataError: the file is missing or unreadable, or the package is not installed.
    """
    if config.path is not None:
        return {"source": config.source, **_describe_file(config.path, cache)}
    if config.source not in BUNDLED:
        raise DataError(f"data.source {config.source}: received no data.path; give the file")
    package = BUNDLED[config.source]
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise DataError(
            f"data.source {config.source}: the package {package} is not installed; install it"
        ) from error
    return {"source": config.source, "package": package, "version": version}


def _describe_file(path: Path, cache: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            before = _stamp(os.fstat(file.fileno()))
            known = _read_cache(cache)
            key = str(path.resolve())
            entry = known.get(key)
            if isinstance(entry, dict) and entry.get("stamp") == before:
                return {"sha256": entry["sha256"], "size_bytes": before[0]}
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            after = _stamp(os.fstat(file.fileno()))
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"data.path {path}: {reason}; expected a readable file") from error
    if before != after:
        raise DataError(f"data.path {path}: is being written; wait until it is whole")
    if time.time_ns() - max(after[1], after[2]) > SETTLED_NS:
        write_json_atomic(cache, {**known, key: {"stamp": after, "sha256": digest}})
    return {"sha256": digest, "size_bytes": after[0]}


def _stamp(status: os.stat_result) -> list[int]:
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev]


def _read_cache(cache: Path) -> dict[str, Any]:
    """Returns the remembered digests; a missing or torn cache remembers nothing."""
    try:
        known = json.loads(cache.read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
