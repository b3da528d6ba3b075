"""Names of the figures on validation data that a training may be steered by."""

from __future__ import annotations

from typing import Literal

# "val_loss", and "val_" before the metric of each task in pipeline/tasks/task.py. Which of them
# a run has is decided by data.task.
ValidationFigure = Literal["val_loss", "val_accuracy", "val_mae", "val_mse"]
