"""The content-addressed store: `artifacts/store/<key>/`, immutable results of stages."""

from __future__ import annotations

import contextlib
import os
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.artifacts.files import storage_errors, sync
from pipeline.artifacts.locks import hold_lock
from pipeline.artifacts.manifest import Manifest, read_manifest, verify_files, write_manifest
from pipeline.errors import ArtifactError


class CorruptArtifactWarning(UserWarning):
    """A stored result did not verify; it counts as missing and is made again."""


@dataclass(frozen=True)
class Artifact:
    """One stage's stored and verified result."""

    path: Path
    manifest: Manifest

    @property
    def stage(self) -> str:
        """Name of the stage that made it."""
        return self.manifest.stage

    @property
    def digest(self) -> str:
        """What later stages depend on."""
        return self.manifest.digest

    @property
    def metrics(self) -> dict[str, Any]:
        """The stage's figures."""
        return self.manifest.metrics

    def file(self, name: str) -> Path:
        """Returns the path of one of its files.

        Raises:
            ArtifactError: the result has no such file.
        """
        if name not in self.manifest.files:
            raise ArtifactError(
                f"{self.path}: no file '{name}'; it holds {', '.join(self.manifest.files)}"
            )
        return self.path / name


class Store:
    """Results by key below one artifacts folder.

    Args:
        root: the artifacts folder; made when something is written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "store"
        self.work_folder = self.folder / ".work"
        self.lock_folder = self.folder / ".locks"

    def path(self, key: str) -> Path:
        """Where the result of `key` is, or would be."""
        return self.folder / key

    def work(self, key: str) -> Path:
        """Where `key` is being made: checkpoints and half-made files, kept over a kill."""
        return self.work_folder / key

    @contextlib.contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Holds the key's lock: looking up and linking, making, or deleting. Waits for it."""
        with hold_lock(self.lock_folder / f"{key}.lock", f"{key} is being made", wait=True):
            yield

    def find(self, key: str) -> Artifact | None:
        """Returns the intact result of `key`, or None; a corrupt one is a miss and a warning."""
        path = self.path(key)
        if not path.is_dir():
            return None
        try:
            manifest = read_manifest(path)
            if manifest.key != key:
                raise ArtifactError(f"{path}: made as {manifest.key}")
            verify_files(path, manifest)
        except ArtifactError as error:
            warnings.warn(f"{error}; it will be made again", CorruptArtifactWarning, stacklevel=2)
            return None
        return Artifact(path, manifest)

    def publish(self, folder: Path, manifest: Manifest) -> Artifact:
        """Moves a finished folder into the store under the manifest's key.

        The manifest is written last and the folder renamed as a whole: the result is whole or
        absent. A result already there under this key is replaced.
        """
        target = self.path(manifest.key)
        with storage_errors(target):
            for name in manifest.files:
                sync(folder / name)
            write_manifest(folder, manifest)
            discarded = self.work_folder / f"{manifest.key}.{os.getpid()}.old"
            if target.exists():
                target.rename(discarded)
            folder.rename(target)
            sync(self.folder)
            shutil.rmtree(discarded, ignore_errors=True)
        return Artifact(target, manifest)
