"""TensorBoard logs, read back as TensorBoard reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import StorageError
from pipeline.training.tensorboard import EpochLog

ROWS = [
    {"epoch": 1, "loss": 1.5, "val_accuracy": 0.25, "seconds": 3},
    {"epoch": 2, "loss": 0.75, "val_accuracy": 0.5, "seconds": 2},
]


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Returns tag → [(step, value), …] as TensorBoard finds them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(folder)).Reload()
    return {
        tag: [(event.step, event.value) for event in accumulator.Scalars(tag)]
        for tag in accumulator.Tags()["scalars"]
    }


def write(folder: Path, rows: list[dict[str, float]]) -> None:
    log = EpochLog(folder)
    for row in rows:
        log.write(row)
    log.close()


def test_each_figure_is_a_curve_over_the_epochs(tmp_path: Path) -> None:
    write(tmp_path / "deep" / "tensorboard", ROWS)
    assert scalars(tmp_path / "deep" / "tensorboard") == {
        "loss": [(1, 1.5), (2, 0.75)],
        "val_accuracy": [(1, 0.25), (2, 0.5)],
        "seconds": [(1, 3.0), (2, 2.0)],
    }


def test_an_epoch_is_on_disk_before_the_log_is_closed(tmp_path: Path) -> None:
    log = EpochLog(tmp_path)
    log.write(ROWS[0])
    assert scalars(tmp_path)["loss"] == [(1, 1.5)]
    log.write(ROWS[1])
    assert scalars(tmp_path)["loss"] == [(1, 1.5), (2, 0.75)]
    log.close()


def test_a_second_start_shows_no_epoch_twice(tmp_path: Path) -> None:
    write(tmp_path, ROWS[:1])
    (tmp_path / "notes.txt").write_text("of someone else")
    write(tmp_path, ROWS)
    assert scalars(tmp_path)["loss"] == [(1, 1.5), (2, 0.75)]
    assert len(list(tmp_path.glob("events.out.tfevents.*"))) == 1
    assert (tmp_path / "notes.txt").read_text() == "of someone else"


def test_a_file_in_the_way_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("a file")
    with pytest.raises(StorageError, match=r"output.*; free space or choose another folder"):
        EpochLog(tmp_path / "output" / "tensorboard")
