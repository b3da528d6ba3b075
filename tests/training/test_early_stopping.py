"""Early stopping by hand: which epoch is kept, and when it stops."""

from __future__ import annotations

import pytest

from pipeline.config.train import EarlyStopping
from pipeline.training.early_stopping import Stopper


def follow(config: EarlyStopping | None, values: list[float]) -> tuple[int, int]:
    """Returns the best epoch and the number of epochs run."""
    stopper = Stopper()
    monitor = "val_loss" if config is None else config.monitor
    for epoch, value in enumerate(values, start=1):
        stopper = Stopper(**stopper.to_state())  # as after a checkpoint
        kept = stopper.update(config, epoch, {monitor: value})
        assert kept == (stopper.best_epoch == epoch)
        if stopper.stopped:
            return stopper.best_epoch, epoch
    return stopper.best_epoch, len(values)


@pytest.mark.parametrize(
    ("patience", "min_delta", "values", "expected"),
    [
        (2, 0.0, [3.0, 2.0, 2.5, 1.0, 1.0, 1.5, 0.1], (4, 6)),
        (1, 0.0, [3.0, 2.0, 2.0, 1.0], (2, 3)),
        (0, 0.0, [3.0, 2.0, 2.5, 1.0], (2, 3)),  # as Keras: no patience is a patience of one
        (2, 0.5, [3.0, 2.8, 2.7, 1.0], (3, 3)),  # small gains do not reset, but are kept
        (3, 0.5, [3.0, 2.8, 2.4, 2.3], (4, 4)),  # together they exceed min_delta
        (5, 0.0, [1.0, 1.0, 1.0], (1, 3)),  # of equals the first
    ],
)
def test_loss(
    patience: int, min_delta: float, values: list[float], expected: tuple[int, int]
) -> None:
    config = EarlyStopping(monitor="val_loss", patience=patience, min_delta=min_delta)
    assert follow(config, values) == expected


def test_accuracy_is_better_when_higher() -> None:
    config = EarlyStopping(monitor="val_accuracy", patience=2)
    assert follow(config, [0.0, 0.5, 0.4, 0.3, 0.9]) == (2, 4)


def test_without_early_stopping_the_last_epoch_is_kept() -> None:
    assert follow(None, [1.0, 2.0, 3.0]) == (3, 3)
