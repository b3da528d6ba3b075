"""TensorBoard logs: one event per epoch with all of its figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.artifacts.files import storage_errors


class EpochLog:
    """Writes the rows of history.csv to a folder that TensorBoard reads.

    A resumed training writes the earlier rows again: event files that a killed one left in
    the folder are removed first, so no epoch shows twice.
    """

    def __init__(self, directory: Path) -> None:
        """Opens a new event file in `directory`, which is made if absent."""
        import tensorflow as tf

        self._directory = directory
        with storage_errors(directory):
            directory.mkdir(parents=True, exist_ok=True)
            for old in directory.glob("events.out.tfevents.*"):
                old.unlink()
            self._writer = tf.summary.create_file_writer(str(directory))

    def write(self, row: Mapping[str, float]) -> None:
        """Writes one epoch; `row` has the 1-based "epoch" and figures to plot."""
        import tensorflow as tf

        # One protocol buffer, because five tf.summary.scalar calls cost five times as much.
        summary = tf.compat.v1.Summary()
        for name, value in row.items():
            if name != "epoch":
                summary.value.add(tag=name, simple_value=float(value))
        with storage_errors(self._directory), self._writer.as_default():
            tf.summary.experimental.write_raw_pb(summary.SerializeToString(), step=row["epoch"])
            self._writer.flush()

    def close(self) -> None:
        """Closes the event file."""
        self._writer.close()
