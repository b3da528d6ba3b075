from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.config.data import DataConfig
from pipeline.data import fingerprint
from pipeline.data.fingerprint import describe_source
from pipeline.errors import DataError

HOUR_NS = 3_600_000_000_000


def settled_file(path: Path, content: bytes) -> DataConfig:
    path.write_bytes(content)
    return DataConfig(source="npz", path=path)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour later: every file has rested long enough to be remembered."""
    now = time.time_ns()
    monkeypatch.setattr(fingerprint.time, "time_ns", lambda: now + HOUR_NS)


def test_bundled_set_is_named_by_its_package(tmp_path: Path) -> None:
    from importlib.metadata import version

    description = describe_source(DataConfig(), tmp_path / "cache.json")
    assert description == {
        "source": "digits",
        "package": "scikit-learn",
        "version": version("scikit-learn"),
    }
    assert describe_source(DataConfig(source="keras:mnist"), tmp_path / "c")["package"] == "keras"


def test_file_is_named_by_its_content_wherever_it_lies(tmp_path: Path) -> None:
    config = settled_file(tmp_path / "a.npz", b"content")
    other = settled_file(tmp_path / "b.npz", b"content")
    description = describe_source(config, tmp_path / "cache.json")
    assert description == {
        "source": "npz",
        "sha256": hashlib.sha256(b"content").hexdigest(),
        "size_bytes": 7,
    }
    assert describe_source(other, tmp_path / "cache.json") == description


@pytest.mark.usefixtures("later")
def test_digest_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, cache = settled_file(tmp_path / "a.npz", b"content"), tmp_path / "cache.json"
    first = describe_source(config, cache)
    monkeypatch.setattr(fingerprint.hashlib, "file_digest", None)
    assert describe_source(config, cache) == first


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("how", ["size", "time", "replaced", "times_put_back"])
def test_changed_file_is_hashed_again(tmp_path: Path, how: str) -> None:
    path, cache = tmp_path / "a.npz", tmp_path / "cache.json"
    config = settled_file(path, b"content")
    before = path.stat()
    describe_source(config, cache)
    content = b"longer content" if how == "size" else b"CONTENT"
    if how == "replaced":
        (tmp_path / "new").write_bytes(content)
        (tmp_path / "new").replace(path)
    else:
        time.sleep(0.02)  # a tick of the file system's clock
        path.write_bytes(content)
    if how in {"replaced", "times_put_back"}:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert describe_source(config, cache)["sha256"] == hashlib.sha256(content).hexdigest()


def test_fresh_file_is_not_remembered(tmp_path: Path) -> None:
    cache = tmp_path / "cache.json"
    describe_source(settled_file(tmp_path / "a.npz", b"content"), cache)
    assert not cache.exists()


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"x": 1}', b"\xff\xfe"])
def test_torn_cache_is_rebuilt(tmp_path: Path, content: bytes) -> None:
    config, cache = settled_file(tmp_path / "a.npz", b"content"), tmp_path / "cache.json"
    cache.write_bytes(content)
    assert describe_source(config, cache)["sha256"] == hashlib.sha256(b"content").hexdigest()
    assert str(tmp_path / "a.npz") in json.loads(cache.read_text())


@pytest.mark.usefixtures("later")
def test_folder_of_images_is_named_by_names_and_contents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for root in ("a", "b"):
        for name in ("cat/1.png", "cat/.hidden", "dog/1.png"):
            (tmp_path / root / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / root / name).write_bytes(name.encode())
    first, other = (DataConfig(source="images", path=tmp_path / root) for root in ("a", "b"))
    cache = tmp_path / "cache.json"
    described = describe_source(first, cache)
    assert described == describe_source(other, cache)
    assert described["files"] == 2 and described["size_bytes"] == 18
    assert described["decoder"].startswith("pillow ")
    (tmp_path / "b" / "cat" / "1.png").rename(tmp_path / "b" / "cat" / "2.png")
    assert describe_source(other, cache)["sha256"] != described["sha256"]
    monkeypatch.setattr(fingerprint.hashlib, "file_digest", None)  # all is remembered
    assert describe_source(first, cache) == described


def test_test_file_belongs_to_the_description(tmp_path: Path) -> None:
    for name in ("train", "test"):
        (tmp_path / f"{name}.csv").write_text("a,y\n1,2\n")
    paths = {"path": tmp_path / "train.csv", "test_path": tmp_path / "test.csv"}
    config = DataConfig(source="csv", csv={"target": "y"}, **paths)
    described = describe_source(config, tmp_path / "cache.json")
    assert described["files"] == 2
    (tmp_path / "test.csv").write_text("a,y\n3,4\n")
    assert describe_source(config, tmp_path / "cache.json")["sha256"] != described["sha256"]


def test_missing_file_is_named(tmp_path: Path) -> None:
    config = DataConfig(source="npz", path=tmp_path / "gone.npz")
    with pytest.raises(DataError, match=r"gone\.npz: No such file or directory"):
        describe_source(config, tmp_path / "cache.json")


def test_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fingerprint.BUNDLED, "digits", "no-such-package")
    with pytest.raises(DataError, match="no-such-package is not installed; install it: pip insta"):
        describe_source(DataConfig(), tmp_path / "cache.json")


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, pipeline.data.fingerprint as f\n"
        "print([m for m in ('numpy', 'sklearn', 'tensorflow', 'keras') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
