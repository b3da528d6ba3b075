"""The CSV files hold what was recorded, in the promised columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.training.history import write_history, write_schedule


def test_history_has_its_columns_in_order_and_extra_ones_behind(tmp_path: Path) -> None:
    row = {
        "seconds": 0.5, "epoch": 1, "loss": 0.1, "accuracy": 0.9, "val_loss": 1 / 3,
        "val_accuracy": 0.8, "learning_rate": 0.001, "sparsity": 0.5,
    }  # fmt: skip
    write_history(tmp_path / "history.csv", [row])
    assert (tmp_path / "history.csv").read_text() == (
        "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds,sparsity\n"
        "1,0.1,0.9,0.3333333333333333,0.8,0.001,0.5,0.5\n"
    )


def test_history_has_the_figures_of_its_task_alone(tmp_path: Path) -> None:
    row = {"epoch": 1, "val_mae": 0.5, "mae": 0.25, "loss": 1.0, "val_loss": 2.0, "seconds": 3}
    row["learning_rate"] = 0.1
    write_history(tmp_path / "history.csv", [row])
    assert (tmp_path / "history.csv").read_text() == (
        "epoch,loss,mae,val_loss,val_mae,learning_rate,seconds\n1,1.0,0.25,2.0,0.5,0.1,3\n"
    )


def test_schedule_writes_float32_in_its_shortest_form(tmp_path: Path) -> None:
    rates = np.array([0.001, 1 / 3], np.float32)
    rows = [{"step": step, "learning_rate": rate} for step, rate in enumerate(rates)]
    write_schedule(tmp_path / "schedule.csv", rows)
    text = (tmp_path / "schedule.csv").read_text()
    assert text == "step,learning_rate\n0,0.001\n1,0.33333334\n"
    assert np.float32(text.split(",")[-1]) == rates[1]


def test_schedule_has_the_target_sparsity_while_pruning(tmp_path: Path) -> None:
    rows = [{"step": 0, "learning_rate": 0.1, "target_sparsity": 0.5}]
    write_schedule(tmp_path / "schedule.csv", rows)
    assert (tmp_path / "schedule.csv").read_text() == (
        "step,learning_rate,target_sparsity\n0,0.1,0.5\n"
    )


def test_files_of_nothing_have_their_header(tmp_path: Path) -> None:
    write_schedule(tmp_path / "schedule.csv", [])
    write_history(tmp_path / "history.csv", [])
    assert (tmp_path / "schedule.csv").read_text() == "step,learning_rate\n"
    assert (tmp_path / "history.csv").read_text().startswith("epoch,loss,")
