"""Schedules in a configuration: read, written back, and refused in one line."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import apply_overrides, as_plain_data, validate
from pipeline.errors import ConfigError

READ: list[dict[str, Any]] = [
    {"kind": "constant", "warmup": "5%", "warmup_start_fraction": 0.1},
    {"kind": "step", "drop": 0.5, "every": 300},
    {"kind": "piecewise", "boundaries": ["50%", "300 steps"], "factors": [1, 0.1, 0.01]},
    {"kind": "exponential", "decay_rate": 0.9, "decay_steps": "2 epochs", "staircase": True},
    {"kind": "inverse_time", "decay_rate": 1},
    {"kind": "polynomial", "power": 2, "decay_steps": "20%", "cycle": True},
    {"kind": "cosine", "final_fraction": 0.01},
    {"kind": "cosine_restarts", "first_decay_steps": "5 epochs", "t_mul": 2, "m_mul": 0.5},
    {"kind": "one_cycle", "rise": "45%", "anneal": "linear"},
    {"kind": "hold_then_decay", "hold": "10 epochs", "decay": 0.1},
    {"kind": "reduce_on_plateau", "factor": 0.5, "patience": 3, "min_lr": 1e-6, "cooldown": 1},
]


@pytest.mark.parametrize("schedule", READ, ids=lambda schedule: schedule["kind"])
def test_it_is_read_and_written_back(schedule: dict[str, Any]) -> None:
    config = validate({"train": {"schedule": schedule}})
    assert config.train.schedule.kind == schedule["kind"]
    assert validate(as_plain_data(config)) == config
    written = as_plain_data(config.train.schedule)
    for key, value in schedule.items():
        # 300 steps is written as 300, which is the same.
        assert written[key] == (["50%", 300] if key == "boundaries" else value), key


def test_a_search_sets_its_fields() -> None:
    config = validate({"train": {"schedule": READ[3]}})
    changed = apply_overrides(config, {"train.schedule.decay_rate": 0.5})
    assert changed.train.schedule.decay_rate == 0.5


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "exponental"}, "schedule.kind: received 'exponental'; did you mean 'exponential'?"),
    ({"kind": "step", "drop": 0.5, "every": 0}, "schedule.every: expected more than 0"),
    ({"kind": "step", "drop": 0.5}, "schedule.every: missing; give a value"),
    (
        {"kind": "exponential", "decay_rate": 0.5, "decay_every": 3},
        "schedule.decay_every: unknown key in train.schedule",
    ),
    (
        {"kind": "piecewise", "boundaries": [30, 20], "factors": [1, 1, 1]},
        "schedule: boundaries: 20 does not come after 30",
    ),
    (
        {"kind": "piecewise", "boundaries": [30], "factors": [1]},
        "schedule: 1 boundaries and 1 factors, expected one factor more than boundaries",
    ),
    (
        {"kind": "piecewise", "boundaries": ["0%"], "factors": [1, 2]},
        "schedule.boundaries.0: expected more than 0",
    ),
    (
        {"kind": "polynomial", "cycle": True},
        "schedule: cycle needs decay_steps, e.g. decay_steps: 20%",
    ),
    (
        {"kind": "constant", "warmup_start_fraction": 0.1},
        "schedule: warmup_start_fraction needs a warmup, e.g. warmup: 1 epochs",
    ),
    (
        {"kind": "cosine_restarts", "first_decay_steps": 3, "t_mul": 0.5},
        "schedule.t_mul: received 0.5, expected greater than or equal to 1",
    ),
    (
        {"kind": "reduce_on_plateau", "factor": 1.0},
        "schedule.factor: received 1.0, expected less than 1",
    ),
    (
        {"kind": "reduce_on_plateau", "monitor": "loss"},
        "schedule.monitor: received 'loss', expected 'val_loss', 'val_accuracy', 'val_mae' or "
        "'val_mse'",
    ),
]


@pytest.mark.parametrize(("schedule", "words"), FAULTS)
def test_a_fault_is_one_line_that_names_the_field(schedule: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validate({"train": {"schedule": schedule}})
    assert str(caught.value).startswith(f"train.{words}")
