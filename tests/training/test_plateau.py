"""Reduce-on-plateau by hand, and against Keras's callback on the same figures."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.config.schedule import CosineSchedule, ReduceOnPlateauSchedule
from pipeline.training.plateau import Plateau, plateau_scale


def schedule(**fields: Any) -> ReduceOnPlateauSchedule:
    return ReduceOnPlateauSchedule(kind="reduce_on_plateau", **fields)


def scales(figures: list[float], monitor: str = "val_loss", **fields: Any) -> list[float]:
    """The scale after each epoch, replayed from the start each time as a resumed training does."""
    settings = schedule(monitor=monitor, **fields)
    rows = [{monitor: figure} for figure in figures]
    return [plateau_scale(settings, 0.1, rows[: count + 1]) for count in range(len(rows))]


def test_two_epochs_without_a_gain_halve_the_rate() -> None:
    found = scales([1.0, 0.9, 0.95, 0.9, 0.89, 0.89, 0.89], factor=0.5, patience=2, min_delta=0)
    assert found == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_a_gain_must_beat_min_delta() -> None:
    assert scales([1.0, 0.95, 0.91], factor=0.5, patience=1, min_delta=0.1) == [1, 0.5, 0.25]
    assert scales([1.0, 0.95, 0.89], factor=0.5, patience=1, min_delta=0.1) == [1, 0.5, 0.5]


def test_epochs_of_a_cooldown_do_not_count() -> None:
    # A cooldown of 2 passes over one epoch: its second epoch is counted again, as in Keras.
    found = scales([1.0] * 6, factor=0.5, patience=1, cooldown=2)
    assert found == [1, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_the_rate_stays_above_min_lr() -> None:
    found = scales([1.0] * 4, factor=0.1, patience=1, min_lr=0.02)
    assert found == pytest.approx([1, 0.2, 0.2, 0.2])


def test_a_metric_where_more_is_better() -> None:
    found = scales([0.5, 0.6, 0.6, 0.5], "val_accuracy", factor=0.5, patience=1)
    assert found == [1, 1, 0.5, 0.25]
    assert scales([0.5, 0.4], "val_mae", factor=0.5, patience=1) == [1, 1]


def test_other_schedules_know_no_plateau() -> None:
    assert plateau_scale(CosineSchedule(kind="cosine"), 0.1, [{"val_loss": 1.0}] * 50) == 1.0
    assert plateau_scale(schedule(), 0.1, []) == 1.0


def test_the_first_figure_is_the_one_to_beat() -> None:
    plateau = Plateau(schedule(patience=1))
    plateau.update({"val_loss": 7.0})
    assert (plateau.best, plateau.wait, plateau.scale) == (7.0, 0, 1.0)


@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
@pytest.mark.parametrize(
    "fields",
    [
        {"factor": 0.5, "patience": 2, "min_delta": 0.05},
        {"factor": 0.3, "patience": 1, "cooldown": 3, "min_delta": 0.0},
        {"factor": 0.1, "patience": 3, "cooldown": 1, "min_lr": 0.002},
    ],
)
def test_the_rates_are_those_of_keras(monitor: str, fields: dict[str, Any]) -> None:
    import keras

    rng = np.random.default_rng(8)
    figures = np.exp(-np.arange(60) / 20) + 0.1 * rng.normal(size=60)
    optimizer = keras.optimizers.SGD(0.1)
    mode = "max" if monitor == "val_accuracy" else "min"
    callback = keras.callbacks.ReduceLROnPlateau(monitor, mode=mode, **fields)
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    expected = []
    for epoch, figure in enumerate(figures):
        callback.on_epoch_end(epoch, {monitor: figure})
        expected.append(float(optimizer.learning_rate))
    ours = [0.1 * scale for scale in scales(figures.tolist(), monitor, **fields)]
    assert len(set(expected)) > 2
    np.testing.assert_allclose(ours, expected, rtol=1e-6)
