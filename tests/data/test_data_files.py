"""Files of a path, and of a pattern."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.data.data_files import data_files
from pipeline.errors import DataError


def test_a_path_or_all_that_a_pattern_matches(tmp_path: Path) -> None:
    folder = tmp_path / "of [2026]"  # signs of a pattern in a folder's name mean themselves
    folder.mkdir()
    for name in ("b.csv", "a.csv", "other.txt"):
        (folder / name).write_text("x")
    (folder / "c.csv").mkdir()
    assert data_files(folder / "a.csv") == [folder / "a.csv"]
    assert data_files(folder) == [folder]
    assert data_files(folder / "*.csv") == [folder / "a.csv", folder / "b.csv"]
    odd = folder / "odd[1].csv"
    odd.write_text("x")
    assert data_files(odd) == [odd]


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data.test_path .*none.csv: no such file"):
        data_files(tmp_path / "none.csv", "data.test_path")
    with pytest.raises(DataError, match="no file matches"):
        data_files(tmp_path / "*.csv")
