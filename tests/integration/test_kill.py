"""kill -9 in the middle of a stage, then the same command: the same digests as a run left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import (
    COMMAND,
    SMALL,
    digests,
    environment,
    slimline,
    write_config,
)


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "run", "small.yaml"],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # Under nohup or in the background of a script it would be ignored from the start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Waits until the condition holds; a run that ends before has nothing left to kill."""
    deadline = time.monotonic() + 300
    while not condition():
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def stage_work(folder: Path, stage: str, done: set[str]) -> list[Path]:
    """Files that the stage after those in `done` has left in its work folder so far."""
    links = {path.name for path in (folder / "artifacts" / "small").glob("*") if path.is_symlink()}
    if not done <= links or stage in links:
        return []
    return [path for path in (folder / "artifacts/store/.work").rglob("*") if path.is_file()]


CHAIN = ["data", "train", "tune", "prune", "cluster", "quantize"]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed once in each stage from train to quantize, then finished."""
    folder = tmp_path_factory.mktemp("killed")
    write_config(folder, SMALL)
    for stage in CHAIN[1:]:
        before = set(CHAIN[: CHAIN.index(stage)])
        process = start(folder)
        wait_for(lambda: bool(stage_work(folder, stage, before)), process)  # noqa: B023
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert not (folder / "artifacts/small" / stage).exists(), (
            f"{stage} was done before the kill"
        )
    done = slimline("run", "small.yaml", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_result_is_that_of_a_run_left_alone(killed: Path, small_run: Path) -> None:
    alone = digests(small_run / "artifacts" / "small")
    interrupted = digests(killed / "artifacts" / "small")
    for stage in (*CHAIN, "export", "evaluate"):
        assert interrupted[stage] == alone[stage], stage


def test_nothing_is_left_over(killed: Path) -> None:
    assert not list((killed / "artifacts/store/.work").iterdir())
    assert not list((killed / "artifacts").rglob("*.tmp"))


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_signals_end_cleanly_and_keep_the_checkpoint(
    tmp_path: Path, number: signal.Signals, code: int, word: str
) -> None:
    def checkpoints() -> list[Path]:
        left = stage_work(tmp_path, "train", {"data"})
        return [path for path in left if path.suffix == ".checkpoint"]

    write_config(tmp_path, {**SMALL, "train": {"epochs": 5000}, "stages": ["train"]})
    process = start(tmp_path)
    wait_for(lambda: bool(checkpoints()), process)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == code, stderr
    assert stderr.splitlines()[-1] == f"slimline: {word}; the same command goes on where it was"
    assert checkpoints()
