"""The trial ledger: JSON lines, each appended and fsynced. It is the truth about a search.

    {"event": "search", "digest": …, "time": …}                        the first line
    {"event": "resumed", "time": …}                                    another sitting begins
    {"event": "created", "trial": "0000", "fence": 0, "time": …, "hyperparameters": {…},
     "epochs": 10, "parent": null, "told": 0}
    {"event": "leased", "trial": "0000", "fence": 1, "time": …}
    {"event": "epoch", "trial": "0000", "fence": 1, "time": …, "metrics": {…}}
    {"event": "ended", "trial": "0000", "fence": 1, "time": …, "metrics": {…}}
    {"event": "failed", "trial": "0000", "fence": 1, "time": …, "error": "…"}

One process writes it: the search, which has the lock of its stage's key. Its workers report to
it. Each lease of a trial has the next fence; what comes with an older one is from a worker that
lost its lease, and does not count. A last line without its newline was torn by a kill: it is
ignored, and cut off before the next line is written.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.artifacts.files import storage_errors, sync
from pipeline.errors import ArtifactError


@dataclass
class TrialRecord:
    """What the ledger knows about one trial.

    Attributes:
        trial: "0000", "0001", …
        hyperparameters: path in the configuration → value.
        epochs: the epoch after which this trial ends, counted from the very first one.
        parent: the trial whose training this one continues, or None.
        told: how many trials, counted from the first, the oracle knew the scores of when it
            proposed this one.
        started_seconds: when it was first leased, since the search began; the time between a
            kill and the next sitting is left out. None before that.
        fence: number of its latest lease, 0 before the first.
        status: "created", "leased", "ended" or "failed".
        metrics: figures of an ended trial: val_loss, val_<metric>, …, epochs_run, seconds.
        error: of a failed trial: its cause in one line.
        epochs_seen: rows that its epochs reported.
    """

    trial: str
    hyperparameters: dict[str, Any]
    epochs: int
    parent: str | None = None
    told: int = 0
    started_seconds: float | None = None
    fence: int = 0
    status: str = "created"
    metrics: dict[str, float] = field(default_factory=dict)
    error: str | None = None
    epochs_seen: list[dict[str, float]] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """True if nothing is left to do for it."""
        return self.status in ("ended", "failed")


class Ledger:
    """An open ledger. One process writes it at a time; the caller holds the lock."""

    def __init__(self, path: Path, digest: str) -> None:
        """Opens the ledger of the search with this digest, or begins it.

        Raises:
            ArtifactError: the file belongs to another search, or a line in it is damaged.
            StorageError: it cannot be written.
        """
        self._path = path
        self.trials: dict[str, TrialRecord] = {}
        self._last_time = self._active_seconds = 0.0
        self._fresh = True
        lines = _read_lines(path)
        if not lines:
            lines = [{"event": "search", "digest": digest, "time": time.time()}]
            self._write(lines[0])
            sync(path.parent)
        elif lines[0].get("digest") != digest:
            raise ArtifactError(
                f"{path}: belongs to search {lines[0].get('digest')}, expected {digest}; "
                f"delete {path.parent} to search anew"
            )
        for number, line in enumerate(lines, start=1):
            try:
                self._apply(line)
            except (KeyError, TypeError) as error:
                raise _damaged(path, number) from error
        self._fresh = len(lines) <= 1

    @property
    def folder(self) -> Path:
        """Where the ledger is."""
        return self._path.parent

    def create(
        self,
        trial: str,
        hyperparameters: dict[str, Any],
        epochs: int,
        parent: str | None,
        told: int = 0,
    ) -> TrialRecord:
        """Records a new trial and returns it."""
        self._append(
            "created",
            trial,
            0,
            hyperparameters=hyperparameters,
            epochs=epochs,
            parent=parent,
            told=told,
        )
        return self.trials[trial]

    def lease(self, trial: str) -> int:
        """Gives the trial to a worker; returns the fence that its reports must carry."""
        fence = self.trials[trial].fence + 1
        self._append("leased", trial, fence)
        return fence

    def add_epoch(self, trial: str, fence: int, metrics: dict[str, float]) -> None:
        """Records an epoch of a leased trial."""
        self._append("epoch", trial, fence, metrics=metrics)

    def end(self, trial: str, fence: int, metrics: dict[str, float]) -> None:
        """Records that a trial ended with these finite metrics."""
        self._append("ended", trial, fence, metrics=metrics)

    def fail(self, trial: str, fence: int, error: str) -> None:
        """Records that a trial failed, and why."""
        self._append("failed", trial, fence, error=error)

    def _append(self, event: str, trial: str, fence: int, **rest: Any) -> None:
        if not self._fresh:
            self._fresh = True
            resumed = {"event": "resumed", "time": time.time()}
            self._write(resumed)
            self._apply(resumed)
        line = {"event": event, "trial": trial, "fence": fence, "time": time.time(), **rest}
        self._write(line)
        self._apply(line)

    def _write(self, line: dict[str, Any]) -> None:
        text = json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n"
        with storage_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                _cut_torn_line(self._path, file.tell())
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())

    def _apply(self, line: dict[str, Any]) -> None:
        event = line["event"]
        if event not in ("search", "resumed"):
            self._active_seconds += max(0.0, line["time"] - self._last_time)
        self._last_time = line["time"]
        if event in ("search", "resumed"):
            return
        trial = line["trial"]
        if event == "created":
            self.trials[trial] = TrialRecord(
                trial, line["hyperparameters"], line["epochs"], line["parent"], line["told"]
            )
            return
        record = self.trials[trial]
        if line["fence"] < record.fence or record.finished:
            return
        if event == "leased":
            record.fence, record.status = line["fence"], "leased"
            if record.started_seconds is None:
                record.started_seconds = round(self._active_seconds, 3)
        elif event == "epoch":
            record.epochs_seen.append(line["metrics"])
        elif event == "ended":
            record.metrics, record.status = line["metrics"], "ended"
        elif event == "failed":
            record.error, record.status = line["error"], "failed"
        else:
            raise KeyError(event)


def _read_lines(path: Path) -> list[dict[str, Any]]:
    """Returns every whole line; [] for an absent file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    lines = []
    for number, text in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            line = json.loads(text)
        except ValueError as error:
            raise _damaged(path, number) from error
        if not isinstance(line, dict):
            raise _damaged(path, number)
        lines.append(line)
    return lines


def _damaged(path: Path, number: int) -> ArtifactError:
    return ArtifactError(
        f"{path}: line {number} is damaged, expected one event; delete {path.parent} to search anew"
    )


def _cut_torn_line(path: Path, size: int) -> None:
    """Cuts what follows the last newline, so that a new line never joins a torn one."""
    if size == 0:
        return
    with path.open("rb+") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) == b"\n":
            return
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
