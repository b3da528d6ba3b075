"""`train`, and the settings that every fine-tuning stage shares with it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config.base import Section
from pipeline.config.optimizer import OptimizerConfig
from pipeline.config.schedule import ConstantSchedule, ScheduleConfig


class FineTuneConfig(Section):
    """Gradient descent for some epochs: batch size, optimizer, learning-rate schedule."""

    epochs: int = Field(10, ge=1, le=100_000, description="passes over the training split")
    batch_size: int = Field(32, ge=1, description="samples in a step")
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ConstantSchedule()


class EarlyStopping(Section):
    """Stops when the validation figure no longer gets better; the best weights are kept."""

    monitor: Literal["val_loss", "val_accuracy"] = "val_loss"
    patience: int = Field(5, ge=0, description="epochs without a better figure before the stop")
    min_delta: float = Field(0.0, ge=0, description="the least change that counts as better")


class TrainConfig(FineTuneConfig):
    """The first training."""

    epochs: int = Field(20, ge=1, le=100_000, description="passes over the training split")
    early_stopping: EarlyStopping | None = Field(
        None, description="none: all epochs are run and the last weights kept"
    )
