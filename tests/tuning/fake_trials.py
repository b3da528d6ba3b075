"""Trials that worker processes do without TensorFlow: a formula, a pause, a log, a crash."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from pipeline.errors import StorageError, TrainingError
from pipeline.tuning.task import Figures, TrialTask


def prepare(arguments: dict[str, Any], threads: int) -> dict[str, Any]:
    """Returns what the trials are to do: seconds, log, crash, fail, bug, full."""
    if arguments.get("start") == "refused":
        raise TrainingError("no data here")
    if arguments.get("start") == "crash":
        os._exit(7)
    return {**arguments, "threads": threads}


def do(task: TrialTask, arguments: dict[str, Any], on_epoch: Any) -> Figures:
    """Logs its beginning and its end; each name in `crash` kills its worker the first time."""
    log = Path(arguments["log"])
    _log(log, f"begin {task.trial} {os.getpid()} {arguments['threads']}")
    for epoch in range(1, 3):
        time.sleep(arguments.get("seconds", 0.0) / 2)
        on_epoch({"epoch": epoch, "val_loss": 1.0, "seconds": 0.0})
    if task.trial in arguments.get("fail", ()):
        raise TrainingError(f"trial {task.trial}: diverged")
    if task.trial in arguments.get("bug", ()):
        raise ValueError("a bug")
    if task.trial in arguments.get("full", ()):
        raise StorageError("disk: no space")
    crashes = log.with_name(f"crashed-{task.trial}")
    if arguments.get("crash", {}).get(task.trial, 0) > len(
        list(log.parent.glob(f"{crashes.name}*"))
    ):
        crashes.with_name(f"{crashes.name}-{time.monotonic_ns()}").touch()
        os.kill(os.getpid(), 9)
    _log(log, f"end {task.trial} {os.getpid()}")
    loss = abs(task.config.train.optimizer.learning_rate - 0.01)
    return {"val_loss": loss, "val_accuracy": 1 - loss, "epochs_run": 2, "seconds": 0.0}


def setup(log: Path, **arguments: Any) -> dict[str, Any]:
    """Returns what a worker of such trials reads first."""
    return {
        "train": "tests.tuning.fake_trials:do",
        "prepare": "tests.tuning.fake_trials:prepare",
        "arguments": {"log": str(log), **arguments},
    }


def _log(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line + "\n")
