"""Manifests: what is written is read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.artifacts.manifest import (
    FileEntry,
    Manifest,
    describe_files,
    read_manifest,
    verify_files,
    write_manifest,
)
from pipeline.errors import ArtifactError


def make(folder: Path) -> Manifest:
    (folder / "deep").mkdir()
    (folder / "deep" / "x").write_bytes(b"abc")
    return Manifest(
        "train", "k", {"seed": 0}, "d", describe_files(folder), {"a": 1}, ("n",), 1.5, "now",
        {"cpu": "c"}, {"numpy": "2"},
    )  # fmt: skip


def test_round_trip(tmp_path: Path) -> None:
    manifest = make(tmp_path)
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    assert manifest.files == {
        "deep/x": FileEntry("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 3)
    }
    verify_files(tmp_path, manifest)


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    manifest = make(tmp_path)
    (tmp_path / "deep" / "x").write_bytes(b"abd")
    with pytest.raises(ArtifactError, match=r"deep/x: content differs"):
        verify_files(tmp_path, manifest)
