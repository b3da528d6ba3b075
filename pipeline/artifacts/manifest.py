"""What is known of one stage's result: its key, its files, its figures."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.artifacts.files import sha256_file, write_json_atomic
from pipeline.errors import ArtifactError

MANIFEST_NAME = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class FileEntry:
    """One file of a result."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Manifest:
    """The description that is written last, and verified first.

    Attributes:
        stage: name of the stage.
        key: SHA-256 over `made_of`, the name of the folder in the store.
        made_of: all that shapes the result (see fingerprint.py).
        digest: what later stages depend on; equal for equal content, however it was made.
        files: relative path → SHA-256 and size.
        metrics: the stage's figures, JSON types only.
        notes: lines that the user was told.
        seconds: wall time of the stage, over all its resumptions in this process.
        created: UTC, ISO 8601.
        host, versions: where and with what it was made.
    """

    stage: str
    key: str
    made_of: dict[str, Any]
    digest: str
    files: dict[str, FileEntry]
    metrics: dict[str, Any]
    notes: tuple[str, ...]
    seconds: float
    created: str
    host: dict[str, Any]
    versions: dict[str, str]
    format: int = FORMAT


def describe_files(folder: Path) -> dict[str, FileEntry]:
    """Returns an entry for every file below `folder` but the manifest itself."""
    return {
        path.relative_to(folder).as_posix(): FileEntry(sha256_file(path), path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST_NAME
    }


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes the manifest into its result's folder; the last file to be written there."""
    write_json_atomic(folder / MANIFEST_NAME, asdict(manifest))


def read_manifest(folder: Path) -> Manifest:
    """Reads a manifest; it says nothing yet of the files.

    Raises:
        ArtifactError: missing, torn, or of another format.
    """
    path = folder / MANIFEST_NAME
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        files = {name: FileEntry(**entry) for name, entry in values.pop("files").items()}
        manifest = Manifest(files=files, notes=tuple(values.pop("notes")), **values)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ArtifactError(f"{path}: no readable manifest: {error}") from error
    if manifest.format != FORMAT:
        raise ArtifactError(f"{path}: format {manifest.format}, expected {FORMAT}")
    return manifest


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Compares every file with the manifest.

    Raises:
        ArtifactError: names the first file that is missing or differs.
    """
    for name, entry in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise ArtifactError(f"{path}: missing")
        if path.stat().st_size != entry.size_bytes or sha256_file(path) != entry.sha256:
            raise ArtifactError(f"{path}: content differs from its manifest")
