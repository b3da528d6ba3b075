"""The two CSV files of every training: what each epoch reached, and which rates really ran."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.artifacts.files import write_bytes_atomic
from pipeline.tasks.task import TASKS

METRICS = tuple(dict.fromkeys(kind.metric for kind in TASKS.values()))
# Columns of any training, one of no epochs too.
ALWAYS = frozenset({"epoch", "loss", "val_loss", "learning_rate", "seconds"})
HISTORY_COLUMNS = (
    "epoch", "loss", *METRICS, "val_loss", *(f"val_{metric}" for metric in METRICS),
    "learning_rate", "seconds",
)  # fmt: skip
SCHEDULE_COLUMNS = ("step", "learning_rate", "target_sparsity")


def write_history(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes history.csv: one row per epoch, whole or not at all.

    Args:
        path: the file.
        rows: epoch (1-based), loss and the task's metric, val_loss and val_<metric>,
            learning_rate (at the end of the epoch), seconds; columns of other names follow in
            the order met.

    Raises:
        StorageError: the file cannot be written.
    """
    met = dict.fromkeys(key for row in rows for key in row)
    known = [name for name in HISTORY_COLUMNS if name in met or name in ALWAYS]
    extra = [name for name in met if name not in HISTORY_COLUMNS]
    write_bytes_atomic(path, _csv_bytes([*known, *extra], rows))


def write_schedule(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes schedule.csv: one row per optimizer step, as recorded inside the training step.

    Args:
        path: the file.
        rows: step (0-based) and learning_rate, and target_sparsity while pruning. A NumPy
            float32 is written in the fewest digits that give the same float32 back.

    Raises:
        StorageError: the file cannot be written.
    """
    rows = list(rows)
    columns = [name for name in SCHEDULE_COLUMNS if not rows or name in rows[0]]
    if not rows:
        columns = list(SCHEDULE_COLUMNS[:2])
    write_bytes_atomic(path, _csv_bytes(columns, rows))


def _csv_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
