"""The trainings of a comparison that are done: JSON lines, each appended and fsynced.

    {"event": "study", "digest": …, "time": …}                              the first line
    {"event": "untrained", "seed": 0, "loss": 2.3, "time": …}
    {"event": "ended", "training": key, "time": …, "outcome": {…}}
    {"event": "failed", "training": key, "time": …, "error": "…"}

A last line without its newline was torn by a kill; it is ignored, and cut off before the next.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from pipeline.artifacts.files import storage_errors, sync
from pipeline.errors import ArtifactError


class StudyLedger:
    """What is known already. One process writes; the caller holds the lock."""

    def __init__(self, path: Path, digest: str) -> None:
        """Opens the ledger of the study with this digest, or begins it.

        Raises:
            ArtifactError: another study's, or a damaged line.
            StorageError: it cannot be written.
        """
        self._path = path
        self._untrained: dict[int, float] = {}
        self._trainings: dict[str, dict[str, Any]] = {}
        lines = self._read()
        if not lines:
            self._write({"event": "study", "digest": digest})
            sync(path.parent)
        elif lines[0].get("digest") != digest:
            raise ArtifactError(
                f"{path}: belongs to study {lines[0].get('digest')}, expected {digest}; "
                f"delete {path.parent} to compare anew"
            )
        for number, line in enumerate(lines[1:], start=2):
            try:
                self._apply(line)
            except (KeyError, TypeError) as error:
                raise self._damaged(number) from error

    def untrained_loss(self, seed: int) -> float | None:
        """Returns the validation loss of the untrained model, None if it is not known."""
        return self._untrained.get(seed)

    def find(self, training: str) -> dict[str, Any] | None:
        """Returns {"outcome": …} or {"error": …} of a training that is done, else None."""
        return self._trainings.get(training)

    def record_untrained(self, seed: int, loss: float) -> None:
        """Records the loss before any training."""
        self._append({"event": "untrained", "seed": seed, "loss": loss})

    def end(self, training: str, outcome: dict[str, Any]) -> None:
        """Records a training that ended; the outcome's figures are finite."""
        self._append({"event": "ended", "training": training, "outcome": outcome})

    def fail(self, training: str, error: str) -> None:
        """Records a training that failed for good: it would fail again."""
        self._append({"event": "failed", "training": training, "error": error})

    def _append(self, line: dict[str, Any]) -> None:
        self._write(line)
        self._apply(line)

    def _apply(self, line: dict[str, Any]) -> None:
        if line["event"] == "untrained":
            self._untrained[int(line["seed"])] = float(line["loss"])
        elif line["event"] == "ended":
            self._trainings[line["training"]] = {"outcome": dict(line["outcome"])}
        elif line["event"] == "failed":
            self._trainings[line["training"]] = {"error": str(line["error"])}
        else:
            raise KeyError(line["event"])

    def _write(self, line: dict[str, Any]) -> None:
        text = json.dumps({**line, "time": time.time()}, ensure_ascii=False, allow_nan=False)
        with storage_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            whole = self._whole_bytes()
            with self._path.open("ab") as file:
                file.truncate(whole)
                file.write(text.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())

    def _whole_bytes(self) -> int:
        """Returns the length up to the last newline: what follows it was torn."""
        return self._path.read_bytes().rfind(b"\n") + 1 if self._path.exists() else 0

    def _read(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        lines = []
        for number, text in enumerate(self._path.read_bytes().split(b"\n")[:-1], start=1):
            try:
                line = json.loads(text)
            except ValueError as error:
                raise self._damaged(number) from error
            if not isinstance(line, dict):
                raise self._damaged(number)
            lines.append(line)
        return lines

    def _damaged(self, number: int) -> ArtifactError:
        return ArtifactError(
            f"{self._path}: line {number} is damaged, expected one event; "
            f"delete {self._path.parent} to compare anew"
        )
