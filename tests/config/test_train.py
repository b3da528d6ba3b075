"""How many updates an epoch has, and which settings exclude each other."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.config.train import FineTuneConfig
from pipeline.errors import ConfigError


def settings(batch_size: Any, accumulated: int = 1) -> FineTuneConfig:
    optimizer = {"gradient_accumulation_steps": accumulated}
    return FineTuneConfig.model_validate({"batch_size": batch_size, "optimizer": optimizer})


@pytest.mark.parametrize(
    ("batch_size", "accumulated", "updates"),
    # 100 samples: 4 batches of 32, 32, 32 and 4.
    [(32, 1, 4), (32, 2, 2), (32, 3, 2), (32, 4, 1), (32, 99, 1), ("full", 1, 1), (200, 1, 1)],
)
def test_updates_in_an_epoch(batch_size: Any, accumulated: int, updates: int) -> None:
    assert settings(batch_size, accumulated).updates_per_epoch(100) == updates


def test_samples_in_a_batch() -> None:
    assert settings("full").samples_in_batch(100) == 100
    assert settings(32).samples_in_batch(100) == 32


def test_full_leaves_nothing_to_accumulate() -> None:
    values = {"batch_size": "full", "optimizer": {"gradient_accumulation_steps": 2}}
    with pytest.raises(ConfigError, match=r"^train: batch_size: full has one batch an epoch"):
        validate({"train": values})
