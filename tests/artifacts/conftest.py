"""A store with one way to put results into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.artifacts.manifest import Manifest, describe_files
from pipeline.artifacts.store import Artifact, Store

Publish = Callable[..., Artifact]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts")


@pytest.fixture
def publish(store: Store) -> Publish:
    def publish_one(key: str, content: bytes = b"content", stage: str = "train") -> Artifact:
        folder = store.work(key) / "output"
        folder.mkdir(parents=True)
        (folder / "model.bin").write_bytes(content)
        manifest = Manifest(
            stage=stage,
            key=key,
            made_of={"config": {}},
            digest="d" * 64,
            files=describe_files(folder),
            metrics={"accuracy": 0.5},
            notes=(),
            seconds=1.0,
            created="2026-01-01T00:00:00+00:00",
            host={},
            versions={},
        )
        artifact = store.publish(folder, manifest)
        store.work(key).rmdir()
        return artifact

    return publish_one
