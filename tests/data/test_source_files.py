from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.data import DataConfig
from pipeline.data.source_files import digest_files, require_unchanged, row_paths, source_files
from pipeline.errors import DataError


def csv(path: Path, **more: Any) -> DataConfig:
    return DataConfig(source="csv", path=path, csv={"target": "y"}, **more)


def write(path: Path, text: str = "a,y\n1,2\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_single_file_has_no_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv")
    assert source_files(csv(path)) == {"": path}
    assert row_paths(csv(path)) == {"all": [path]}
    assert digest_files([("", "abc")]) == "abc"


def test_files_of_a_pattern_and_of_the_test_split(tmp_path: Path) -> None:
    for name in ("part-2.csv", "part-1.csv", "test.csv"):
        write(tmp_path / name)
    config = csv(tmp_path / "part-*.csv", test_path=tmp_path / "test.csv")
    assert list(source_files(config)) == ["train/part-1.csv", "train/part-2.csv", "test/test.csv"]
    assert list(row_paths(config)) == ["train", "test"]


def test_files_within_a_folder_are_named_by_their_place_in_it(tmp_path: Path) -> None:
    for name in ("neg/1.txt", "pos/1.txt", "pos/.hidden"):
        write(tmp_path / "in" / name)
    config = DataConfig(source="text", path=tmp_path / "in")
    assert list(source_files(config)) == ["all/neg/1.txt", "all/pos/1.txt"]


def test_digest_covers_names_and_contents_in_any_order() -> None:
    first = digest_files([("a", "1"), ("b", "2")])
    assert first == digest_files([("b", "2"), ("a", "1")])
    assert first == hashlib.sha256(b"1  a\n2  b\n").hexdigest()
    assert len({first, digest_files([("a", "2"), ("b", "1")]), digest_files([("a", "1")])}) == 3


def test_change_since_the_plan_is_refused(tmp_path: Path) -> None:
    config = csv(write(tmp_path / "a.csv"))
    planned = hashlib.sha256((tmp_path / "a.csv").read_bytes()).hexdigest()
    require_unchanged(config, planned)
    require_unchanged(config, None)
    write(tmp_path / "a.csv", "other")
    with pytest.raises(DataError, match=r"a\.csv: changed after the run was planned; run the co"):
        require_unchanged(config, planned)


def test_missing_test_file_names_its_key(tmp_path: Path) -> None:
    config = csv(write(tmp_path / "a.csv"), test_path=tmp_path / "gone.csv")
    with pytest.raises(DataError, match=r"data\.test_path .*gone\.csv: no such file or folder"):
        source_files(config)
