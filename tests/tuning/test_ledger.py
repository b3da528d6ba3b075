"""The ledger survives any kill, and believes nothing that is damaged or stale."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from pipeline.errors import ArtifactError, StorageError
from pipeline.tuning.ledger import Ledger, TrialRecord

VALUES = {"model.dropout": 0.25, "train.batch_size": 32}


def write_one(path: Path) -> Ledger:
    ledger = Ledger(path, "d1")
    ledger.create("0000", VALUES, 3, None)
    fence = ledger.lease("0000")
    ledger.add_epoch("0000", fence, {"epoch": 1, "val_loss": 0.5})
    ledger.end("0000", fence, {"val_loss": 0.5})
    ledger.create("0001", VALUES, 9, "0000")
    ledger.fail("0001", ledger.lease("0001"), "loss is nan")
    return ledger


def test_it_reads_back_what_was_written(tmp_path: Path) -> None:
    written = write_one(tmp_path / "ledger.jsonl").trials
    read = Ledger(tmp_path / "ledger.jsonl", "d1").trials
    assert read == written
    assert read["0000"] == TrialRecord(
        "0000", VALUES, 3, None, 0, written["0000"].started_seconds, 1, "ended",
        {"val_loss": 0.5}, None, [{"epoch": 1, "val_loss": 0.5}],
    )  # fmt: skip
    assert (read["0001"].status, read["0001"].error) == ("failed", "loss is nan")
    assert (read["0001"].epochs, read["0001"].parent) == (9, "0000")


def test_lines_have_the_contract_s_keys(tmp_path: Path) -> None:
    write_one(tmp_path / "ledger.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").open()]
    events = [line["event"] for line in lines]
    assert events == [
        "search", "created", "leased", "epoch", "ended", "created", "leased", "failed",
    ]  # fmt: skip
    assert all({"trial", "fence", "time"} <= set(line) for line in lines[1:])
    assert lines[1]["hyperparameters"] == VALUES
    assert lines[3]["metrics"] == {"epoch": 1, "val_loss": 0.5}
    assert lines[7]["error"] == "loss is nan"


def test_the_time_between_two_sittings_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 101.0, 103.0, 1003.0, 1004.0, 1008.0])
    monkeypatch.setattr("time.time", lambda: next(clock))
    first = Ledger(tmp_path / "ledger.jsonl", "d1")  # at 100
    first.create("0000", VALUES, 3, None)  # at 101
    first.lease("0000")  # at 103, then killed
    again = Ledger(tmp_path / "ledger.jsonl", "d1")
    again.create("0001", VALUES, 3, None, told=1)  # resumed at 1003, created at 1004
    again.lease("0001")  # at 1008
    for ledger in (again, Ledger(tmp_path / "ledger.jsonl", "d1")):
        assert ledger.trials["0000"].started_seconds == 3.0
        assert ledger.trials["0001"].started_seconds == 3.0 + 1.0 + 4.0
        assert ledger.trials["0001"].told == 1


def test_every_torn_end_is_ignored_and_cut(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write_one(path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        ledger = Ledger(path, "d1")
        count = len(ledger.trials)
        ledger.create("0007", {}, 1, None)
        again = Ledger(path, "d1")
        assert len(again.trials) == count + 1
        assert again.trials["0007"].status == "created"


def test_a_new_lease_has_the_next_fence_and_old_reports_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path, "d1")
    ledger.create("0000", VALUES, 3, None)
    assert [ledger.lease("0000"), Ledger(path, "d1").lease("0000")] == [1, 2]
    late = Ledger(path, "d1")
    late.end("0000", 1, {"val_loss": 0.0})
    assert not Ledger(path, "d1").trials["0000"].finished
    late.end("0000", 2, {"val_loss": 1.0})
    late.end("0000", 2, {"val_loss": 2.0})  # the first end stands
    assert Ledger(path, "d1").trials["0000"].metrics == {"val_loss": 1.0}


def test_another_search_is_refused(tmp_path: Path) -> None:
    write_one(tmp_path / "ledger.jsonl")
    with pytest.raises(ArtifactError, match=r"belongs to search d1, expected d2; delete"):
        Ledger(tmp_path / "ledger.jsonl", "d2")


@pytest.mark.parametrize("damage", ["not json", "[1]", '{"event": "created"}', '{"event": "x"}'])
def test_a_damaged_line_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "ledger.jsonl"
    write_one(path)
    lines = path.read_text().splitlines()
    lines[2] = damage
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ArtifactError, match="line 3 is damaged"):
        Ledger(path, "d1")


def test_a_full_disk_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(StorageError, match="No space left"):
        Ledger(tmp_path / "ledger.jsonl", "d1")
