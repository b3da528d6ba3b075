"""Worker processes: shared work, crashes, refusals, and SIGKILL of one and of all."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.data.prepared import PreparedData
from pipeline.errors import StorageError, TrainingError
from pipeline.tuning import loop
from pipeline.tuning.pool import WorkerPool
from pipeline.tuning.result import SearchResult
from pipeline.tuning.search import search
from tests.conftest import ROOT
from tests.tuning.conftest import FakeTrainer, make_config, search_with
from tests.tuning.fake_trials import setup
from tests.tuning.killed_search import TRIALS, run
from tests.tuning.test_search import Notes

NAMES = [f"{number:04d}" for number in range(8)]


def search_in_pool(
    folder: Path, data: PreparedData, notes: Notes | None = None, workers: int = 2, **arguments: Any
) -> SearchResult:
    """Searches eight random trials with fake workers."""
    (folder / "work").mkdir(exist_ok=True)
    pool = WorkerPool(workers, setup(folder / "log", **arguments))
    with contextlib.closing(pool):
        config = make_config(max_trials=8)
        return search(config, data, 0, folder / "work", notes or Notes(), pool)


def log_of(folder: Path, word: str) -> list[list[str]]:
    """The words of each line of the trials' log that begins so."""
    lines = [line.split() for line in (folder / "log").read_text().splitlines()]
    return [line[1:] for line in lines if line[0] == word]


def test_two_workers_share_the_trials_and_the_threads(data: PreparedData, tmp_path: Path) -> None:
    result = search_in_pool(tmp_path, data, seconds=0.2)
    assert [trial["trial"] for trial in result.trials] == NAMES
    assert all(trial["status"] == "ended" for trial in result.trials)
    began = log_of(tmp_path, "begin")
    assert sorted(trial for trial, _, _ in began) == NAMES
    assert len({pid for _, pid, _ in began}) == 2
    assert {int(threads) for *_, threads in began} == {max(1, len(os.sched_getaffinity(0)) // 2)}
    alone = search_with(FakeTrainer(), make_config(max_trials=8), data, 0, tmp_path / "alone")
    values = [[trial["hyperparameters"] for trial in r.trials] for r in (result, alone)]
    assert values[0] == values[1]


def test_a_worker_that_dies_is_replaced_and_its_trial_done_again_but_not_for_ever(
    data: PreparedData, tmp_path: Path
) -> None:
    notes = Notes()
    crash = {"0002": 1, "0005": 99}
    result = search_in_pool(tmp_path, data, notes, workers=1, crash=crash)
    status = [trial["status"] for trial in result.trials]
    assert status == ["failed" if name == "0005" else "ended" for name in NAMES]
    (ledger,) = (tmp_path / "work").glob("*/ledger.jsonl")
    lines = [json.loads(line) for line in ledger.open()]
    leases = Counter(line["trial"] for line in lines if line["event"] == "leased")
    assert leases == Counter({name: 1 for name in NAMES} | {"0002": 2, "0005": loop.MAX_LOSSES})
    ended = {line["trial"]: line["fence"] for line in lines if line["event"] == "ended"}
    assert ended == {name: 2 if name == "0002" else 1 for name in NAMES if name != "0005"}
    assert "trial 0002: its worker died (killed by SIGKILL); it goes on" in notes.notes[0]
    assert result.trials[5]["error"] == (
        f"its worker died (killed by SIGKILL), {loop.MAX_LOSSES} times; too little memory for "
        "this model?"
    )


def test_failures_bugs_and_full_disks_come_back_as_what_they_are(
    data: PreparedData, tmp_path: Path
) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    result = search_in_pool(tmp_path / "a", data, workers=1, fail=["0003"])
    assert result.trials[3]["error"] == "trial 0003: diverged"
    with pytest.raises(RuntimeError, match="ValueError: a bug"):
        search_in_pool(tmp_path / "b", data, workers=1, bug=["0001"])
    with pytest.raises(StorageError, match="disk: no space"):
        search_in_pool(tmp_path / "c", data, workers=1, full=["0001"])


def test_workers_that_cannot_start_end_the_search(data: PreparedData, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no data here"):
        search_in_pool(tmp_path, data, workers=1, start="refused")
    with pytest.raises(TrainingError, match=r"could not start \(exit code 7\)"):
        search_in_pool(tmp_path, data, workers=1, start="crash")


def test_a_worker_that_cannot_start_takes_no_trial_with_it(
    data: PreparedData, tmp_path: Path
) -> None:
    with pytest.raises(StorageError):
        search_in_pool(tmp_path, data, workers=1, full=["0005"])
    with pytest.raises(TrainingError, match="no data here"):
        search_in_pool(tmp_path, data, workers=1, start="refused")
    result = search_in_pool(tmp_path, data, workers=1)
    assert [trial["trial"] for trial in result.trials] == NAMES
    assert Counter(trial for trial, _ in log_of(tmp_path, "end")) == Counter(NAMES)


def alive(pid: int) -> bool:
    """True if the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_sigkill_of_a_worker_and_of_the_whole_search(tmp_path: Path) -> None:
    """Then the same command: the same set of trials, none lost, none recorded twice."""
    (tmp_path / "alone").mkdir()
    (tmp_path / "killed").mkdir()
    expected = run(tmp_path / "alone", 0.0)
    for kill_after in (3, 8):
        command = [sys.executable, "-m", "tests.tuning.killed_search", str(tmp_path / "killed")]
        search_process = subprocess.Popen([*command, "0.2"], cwd=ROOT)
        log = tmp_path / "killed" / "log"
        deadline = time.monotonic() + 120
        while not log.exists() or log.read_text().count("end ") < kill_after:
            assert time.monotonic() < deadline and search_process.poll() is None
            time.sleep(0.01)
        _, pid, _ = log_of(tmp_path / "killed", "begin")[-1]
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.15)
        workers = {int(pid) for _, pid, _ in log_of(tmp_path / "killed", "begin")}
        search_process.kill()
        search_process.wait()
        while any(alive(worker) for worker in workers):
            assert time.monotonic() < deadline, "workers die with their search"
            time.sleep(0.01)
    ledger = run(tmp_path / "killed", 0.0)
    lines = [json.loads(line) for line in (tmp_path / "killed" / "ledger.jsonl").open()]
    for event in ("created", "ended"):
        names = [line["trial"] for line in lines if line["event"] == event]
        assert sorted(names) == sorted(expected.trials), event
    assert {line["event"] for line in lines} >= {"search", "resumed", "leased", "epoch"}
    # Trial n is proposed with the scores of all but the last two before it, two workers being
    # two whatever happens to them and however long a trial takes.
    for trials in (expected.trials, ledger.trials):
        told = [record.told for record in trials.values()]
        assert told == [max(0, number - 2) for number in range(TRIALS)]
    for name, record in expected.trials.items():
        assert ledger.trials[name].hyperparameters == record.hyperparameters
        assert ledger.trials[name].metrics == record.metrics
