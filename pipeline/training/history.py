"""The two CSV files of every training: what each epoch reached, and which rates really ran."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.artifacts.files import write_bytes_atomic

HISTORY_COLUMNS = (
    "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds",
)  # fmt: skip
SCHEDULE_COLUMNS = ("step", "learning_rate", "target_sparsity")


def write_history(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes history.csv: one row per epoch, whole or not at all.

    Args:
        path: the file.
        rows: epoch (1-based), loss, accuracy, val_loss, val_accuracy, learning_rate (at the
            end of the epoch), seconds; columns of other names follow in the order met.

    Raises:
        StorageError: the file cannot be written.
    """
    extra = dict.fromkeys(key for row in rows for key in row if key not in HISTORY_COLUMNS)
    write_bytes_atomic(path, _csv_bytes([*HISTORY_COLUMNS, *extra], rows))


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
