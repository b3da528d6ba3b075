"""Schedules that no number of steps could make possible are refused when they are read."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from pipeline.config.load import validate
from pipeline.config.schedule import ScheduleConfig
from pipeline.config.schedule_check import check_schedule
from pipeline.errors import ConfigError


def check(epochs: int = 10, rate: float = 0.1, **fields: Any) -> None:
    check_schedule(TypeAdapter(ScheduleConfig).validate_python(fields), epochs, rate)


REFUSED = [
    ({"kind": "constant", "warmup": "100%"}, "schedule.warmup: 100% fills all of 10 epochs"),
    ({"kind": "cosine", "warmup": "10 epochs"}, "schedule.warmup: 10 epochs fills all of 10"),
    (
        {"kind": "piecewise", "boundaries": ["6 epochs", "50%"], "factors": [1, 1, 1]},
        "schedule.boundaries: 50% does not come after 6 epochs in 10 epochs",
    ),
    (
        {"kind": "piecewise", "boundaries": ["1 epochs"], "factors": [1, 1], "warmup": "10%"},
        "schedule.boundaries: 1 epochs does not come after the warmup in 10 epochs",
    ),
    ({"kind": "one_cycle", "rise": "100%"}, "schedule.rise: 100% leaves nothing of 10 epochs"),
    (
        {"kind": "one_cycle", "rise": "6 epochs", "warmup": "40%"},
        "schedule.rise: 6 epochs leaves nothing of 10 epochs to fall in",
    ),
    (
        {"kind": "reduce_on_plateau", "min_lr": 0.2},
        "schedule.min_lr: 0.2 is above optimizer.learning_rate 0.1",
    ),
]


@pytest.mark.parametrize(("fields", "words"), REFUSED)
def test_it_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "constant", "warmup": 1_000_000},
        {"kind": "constant", "warmup": "9 epochs"},
        {"kind": "piecewise", "boundaries": [5, "10%"], "factors": [1, 1, 1]},
        {"kind": "piecewise", "boundaries": ["30 epochs"], "factors": [1, 0.1]},
        {"kind": "one_cycle", "rise": 1_000_000},
        {"kind": "reduce_on_plateau", "min_lr": 0.1},
    ],
)
def test_what_depends_on_the_steps_or_is_merely_never_reached_passes(
    fields: dict[str, Any],
) -> None:
    check(**fields)


@pytest.mark.parametrize("section", ["train", "prune"])
def test_each_section_is_checked(section: str) -> None:
    schedule = {"kind": "constant", "warmup": "100%"}
    with pytest.raises(ConfigError, match=rf"^{section}: schedule.warmup: 100% fills"):
        validate({section: {"schedule": schedule}})
    with pytest.raises(ConfigError, match=r"^quantize.qat: schedule.warmup: 100% fills"):
        validate({"quantize": {"method": "qat", "qat": {"schedule": schedule}}})
