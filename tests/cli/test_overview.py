"""What `status` and `clean` print of odd folders."""

from __future__ import annotations

from pathlib import Path

from pipeline.artifacts.clean import Reclaimable
from pipeline.cli import overview


def test_no_runs_yet(tmp_path: Path) -> None:
    assert overview.list_all_runs(tmp_path / "none") == []
    assert "slimline run configs/digits.yaml" in overview.format_rows([])


def test_reclaimable_is_told_by_kind_and_size(tmp_path: Path) -> None:
    items = [
        Reclaimable(tmp_path / "store" / ("a" * 64), "a" * 64, 1_500_000),
        Reclaimable(tmp_path / "store" / ".work" / ("b" * 64), "b" * 64, 500_000),
    ]
    text = overview.format_reclaimable(items)
    assert "result of no run" in text
    assert "interrupted work" in text
    assert text.splitlines()[-1] == "2.0 MB in all"
    assert overview.format_reclaimable([]) == "nothing to reclaim"
