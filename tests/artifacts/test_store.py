"""The store: results are whole, verified when read, and replaced as a whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.artifacts.store import CorruptArtifactWarning, Store
from pipeline.errors import ArtifactError
from tests.artifacts.conftest import Publish

KEY = "a" * 64


def test_what_is_published_is_found(store: Store, publish: Publish) -> None:
    assert store.find(KEY) is None
    publish(KEY)
    found = store.find(KEY)
    assert found is not None
    assert found.metrics == {"accuracy": 0.5}
    assert found.file("model.bin").read_bytes() == b"content"
    with pytest.raises(ArtifactError, match=r"no file 'other'; it holds model\.bin"):
        found.file("other")


def test_publishing_again_replaces_the_result(store: Store, publish: Publish) -> None:
    publish(KEY, b"first")
    publish(KEY, b"second")
    found = store.find(KEY)
    assert found is not None
    assert found.file("model.bin").read_bytes() == b"second"
    assert not [p for p in store.work_folder.iterdir() if p.name.endswith(".old")]


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete", "manifest", "torn manifest"])
def test_a_damaged_result_is_a_miss_and_a_warning(
    store: Store, publish: Publish, damage: str
) -> None:
    folder = publish(KEY).path
    model, manifest = folder / "model.bin", folder / "manifest.json"
    if damage == "flip":
        model.write_bytes(b"Content")
    elif damage == "truncate":
        model.write_bytes(b"conten")
    elif damage == "delete":
        model.unlink()
    elif damage == "manifest":
        manifest.unlink()
    else:
        manifest.write_text(manifest.read_text()[:40])
    with pytest.warns(CorruptArtifactWarning, match="it will be made again"):
        assert store.find(KEY) is None


def test_a_result_under_another_key_is_a_miss(store: Store, publish: Publish) -> None:
    publish(KEY).path.rename(store.path("b" * 64))
    with pytest.warns(CorruptArtifactWarning, match=f"made as {KEY}"):
        assert store.find("b" * 64) is None


def test_another_format_is_a_miss(store: Store, publish: Publish) -> None:
    path = publish(KEY).path / "manifest.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "format": 99}))
    with pytest.warns(CorruptArtifactWarning, match="format 99, expected 1"):
        assert store.find(KEY) is None


def test_a_half_made_result_is_absent(store: Store, tmp_path: Path) -> None:
    output = store.work(KEY) / "output"
    output.mkdir(parents=True)
    (output / "model.bin").write_bytes(b"half")
    assert store.find(KEY) is None
