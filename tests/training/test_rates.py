"""The table as a variable: before, and after what a plateau made of it."""

from __future__ import annotations

import numpy as np

from pipeline.config.train import FineTuneConfig
from pipeline.training.rates import RateTable
from pipeline.training.schedules import learning_rates


def config(**schedule: object) -> FineTuneConfig:
    return FineTuneConfig.model_validate(
        {"epochs": 3, "optimizer": {"learning_rate": 0.5}, "schedule": schedule}
    )


def test_it_holds_the_schedule_and_no_history_changes_it() -> None:
    settings = config(kind="cosine", warmup=2)
    table = RateTable(settings, 4)
    table.follow([{"val_loss": 1.0}] * 50)
    expected = learning_rates(settings.schedule, 0.5, 4, 3)
    np.testing.assert_array_equal(table.variable.numpy(), expected)


def test_a_plateau_scales_it_and_a_replay_gives_the_same() -> None:
    settings = config(kind="reduce_on_plateau", factor=0.1, patience=1, min_lr=0.02, warmup=2)
    table = RateTable(settings, 4)
    np.testing.assert_allclose(table.variable.numpy(), [0, 0.25] + [0.5] * 10)
    rows = [{"val_loss": 1.0}] * 3
    seen = []
    for count in range(4):
        table.follow(rows[:count])
        seen.append(float(table.variable[-1]))
        replayed = RateTable(settings, 4)
        replayed.follow(rows[:count])
        np.testing.assert_array_equal(replayed.variable.numpy(), table.variable.numpy())
    np.testing.assert_allclose(seen, [0.5, 0.5, 0.05, 0.02])
