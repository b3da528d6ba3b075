"""Zips that Keras does not write are refused before a member is unpacked."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import UntrustedModelError
from pipeline.foreign import archive
from pipeline.foreign.archive import CONFIG, METADATA, WEIGHTS, unpack

CONTENT = {CONFIG: b"{}", METADATA: b'{"keras_version": "3.15.1"}', WEIGHTS: b"weights"}


def write(
    path: Path, extra: Callable[[zipfile.ZipFile], object] | None = None, **left: bytes
) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, content in (left or CONTENT).items():
            made.writestr(name, content)
        if extra is not None:
            extra(made)
    return path


def member(name: str, mode: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def test_the_three_members_are_unpacked(tmp_path: Path) -> None:
    path = write(tmp_path / "a.keras", lambda a: a.writestr("assets/", b""))
    assert unpack(path, tmp_path) == ("{}", '{"keras_version": "3.15.1"}')
    assert (tmp_path / WEIGHTS).read_bytes() == b"weights"


@pytest.mark.parametrize(
    "name",
    ["../evil.py", "/tmp/evil.py", "a/../../evil.py", "assets/vocabulary.txt", "C:\\evil", "x.npz"],
)
def test_other_members_are_refused_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.keras", lambda a: a.writestr(member(name), b"evil"))
    folder = tmp_path / "deep" / "folder"
    folder.mkdir(parents=True)
    with pytest.raises(UntrustedModelError, match=r"has the member '.*', expected config\.json,"):
        unpack(path, folder)
    assert not list(folder.iterdir()) and not (tmp_path / "evil.py").exists()


def test_a_member_twice(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = write(tmp_path / "a.keras", lambda a: a.writestr(CONFIG, b"{}"))
    with pytest.raises(UntrustedModelError, match=r"has 'config\.json' twice"):
        unpack(path, tmp_path)


def test_a_member_that_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.keras", **{CONFIG: b"{}"})
    with pytest.raises(UntrustedModelError, match=r"a zip without metadata\.json, model\.weights"):
        unpack(path, tmp_path)


def one_of_another_kind(tmp_path: Path, info: zipfile.ZipInfo, content: bytes) -> Path:
    left = {name: value for name, value in CONTENT.items() if name != info.filename}
    return write(tmp_path / "a.keras", lambda a: a.writestr(info, content), **left)


def test_a_link(tmp_path: Path) -> None:
    path = one_of_another_kind(tmp_path, member(WEIGHTS, stat.S_IFLNK | 0o777), b"/etc/passwd")
    with pytest.raises(UntrustedModelError, match=r"'model\.weights\.h5' is a link or a device"):
        unpack(path, tmp_path)


def test_an_archive_that_expands_a_thousandfold(tmp_path: Path) -> None:
    info = member(CONFIG)
    info.compress_type = zipfile.ZIP_DEFLATED
    path = one_of_another_kind(tmp_path, info, b"[" + b" " * 20_000_000 + b"]")
    assert path.stat().st_size < 50_000
    with pytest.raises(UntrustedModelError, match=r"expands from 19,\d+ to 20,000,002 bytes"):
        unpack(path, tmp_path)


def test_a_config_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(archive.MEMBERS, CONFIG, 10)
    path = write(tmp_path / "a.keras", **{**CONTENT, CONFIG: b"[0, 1, 2, 3]"})
    with pytest.raises(UntrustedModelError, match="expands to 12 bytes, expected at most 10"):
        unpack(path, tmp_path)


def test_another_compression(tmp_path: Path) -> None:
    info = member(CONFIG)
    info.compress_type = zipfile.ZIP_BZIP2
    path = one_of_another_kind(tmp_path, info, b"{}")
    with pytest.raises(UntrustedModelError, match="compressed by method 12, expected stored or"):
        unpack(path, tmp_path)


def patched(path: Path, offset: int, value: int) -> Path:
    """Changes one byte of each central directory entry."""
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + offset] = value
        at = content.find(b"PK\x01\x02", at + 1)
    path.write_bytes(content)
    return path


def test_an_encrypted_member(tmp_path: Path) -> None:
    with pytest.raises(UntrustedModelError, match=r"'config\.json' is encrypted"):
        unpack(patched(write(tmp_path / "a.keras"), 8, 1), tmp_path)


def test_members_that_overlap(tmp_path: Path) -> None:
    """Each of the three states that it lies at the same place with the size of the file."""
    path = patched(patched(write(tmp_path / "a.keras"), 20, 250), 24, 250)
    with pytest.raises(UntrustedModelError, match="its members overlap one another"):
        unpack(path, tmp_path)


def test_a_torn_archive(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.keras").read_bytes()
    torn = {
        "File is not a zip file": whole[:-30],
        "Bad CRC-32 for file 'config.json'": whole.replace(b"{}", b"[]", 1),
    }
    for reason, content in torn.items():
        (tmp_path / "b.keras").write_bytes(content)
        with pytest.raises(UntrustedModelError, match=rf"not a whole \.keras file \({reason}\)"):
            unpack(tmp_path / "b.keras", tmp_path)
