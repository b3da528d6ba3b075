"""What was measured before a kill is not measured again."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from pipeline.artifacts.measurements import Measurements


def never() -> list[float]:
    raise AssertionError("measured again")


def test_a_figure_is_read_again_to_the_last_bit(tmp_path: Path) -> None:
    path = tmp_path / "work" / "figures.json"
    figures = [0.1 + 0.2, math.inf, 7]
    assert Measurements(path).recall({"layer": "a"}, lambda: figures) == figures
    assert Measurements(path).recall({"layer": "a"}, never) == figures


def test_nan_is_a_figure(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    Measurements(path).recall("a", lambda: [math.nan])
    assert math.isnan(Measurements(path).recall("a", never)[0])


def test_another_basis_is_measured(tmp_path: Path) -> None:
    found = Measurements(tmp_path / "figures.json")
    assert found.recall("a", lambda: [1.0]) == [1.0]
    assert found.recall("b", lambda: [2.0]) == [2.0]
    assert found.recall("a", never) == [1.0]


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe"])
def test_an_unreadable_file_counts_as_absent(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "figures.json"
    path.write_bytes(content)
    assert Measurements(path).recall("a", lambda: [3.0]) == [3.0]
    assert Measurements(path).recall("a", never) == [3.0]
