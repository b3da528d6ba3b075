"""What a trial's training tells its bar becomes rows of the trial's history."""

from __future__ import annotations

from typing import Any

from pipeline.tuning.task import Epochs


def test_the_bar_of_a_measurement_before_the_training_counts_no_epochs() -> None:
    rows: list[Any] = []
    epochs = Epochs("prune_epoch", rows.append)
    epochs.begin("sensitivity", 2, "parts")
    epochs.advance(1)
    epochs.advance(1)
    epochs.end()
    epochs.begin("prune", 3, "epochs")
    epochs.advance(1)  # done in an earlier sitting
    epochs.advance(1, val_loss=0.5)
    assert rows == [{"prune_epoch": 2, "val_loss": 0.5}]
