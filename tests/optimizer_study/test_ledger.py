"""The ledger of a comparison survives what kills its writer."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ArtifactError
from pipeline.optimizer_study.ledger import StudyLedger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    ledger = StudyLedger(tmp_path / "study" / "ledger.jsonl", "abc")
    ledger.record_untrained(3, 2.5)
    ledger.end("t1", {"loss": 0.5})
    ledger.fail("t2", "the loss is nan")
    return tmp_path / "study" / "ledger.jsonl"


def test_what_was_recorded_is_read_back(path: Path) -> None:
    ledger = StudyLedger(path, "abc")
    assert ledger.untrained_loss(3) == 2.5
    assert ledger.untrained_loss(4) is None
    assert ledger.find("t1") == {"outcome": {"loss": 0.5}}
    assert ledger.find("t2") == {"error": "the loss is nan"}
    assert ledger.find("t3") is None


def test_a_torn_last_line_is_ignored_and_cut_off(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"event": "ended", "trai')
    ledger = StudyLedger(path, "abc")
    ledger.end("t3", {"loss": 1.0})
    assert path.read_bytes().startswith(whole)
    assert StudyLedger(path, "abc").find("t3") == {"outcome": {"loss": 1.0}}


@pytest.mark.parametrize("line", [b"no json", b"[1]", b'{"event": "other"}', b'{"event": "ended"}'])
def test_a_damaged_line_is_refused_by_its_number(path: Path, line: bytes) -> None:
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(ArtifactError, match="line 5 is damaged"):
        StudyLedger(path, "abc")


def test_another_study_is_refused(path: Path) -> None:
    with pytest.raises(ArtifactError, match="belongs to study abc, expected xyz"):
        StudyLedger(path, "xyz")
