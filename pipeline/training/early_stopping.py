"""Early stopping: which epoch is the best so far, and when to give up waiting for a better one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.tasks.task import higher_is_better

if TYPE_CHECKING:
    from pipeline.config.train import EarlyStopping


@dataclass
class Stopper:
    """Follows the monitored figure over the epochs; its fields are the state to checkpoint.

    Two figures are kept apart. `best` is the best value seen at all: its weights are kept. The
    patience runs against `reference`, which only moves when the figure beats it by more than
    min_delta; so min_delta decides when to stop, and never which weights are kept. (In
    keras.callbacks.EarlyStopping both are one figure, and slow gains are thrown away.)
    """

    best: float | None = None
    best_epoch: int = 0
    reference: float | None = None
    wait: int = 0
    stopped: bool = False

    def update(self, config: EarlyStopping | None, epoch: int, row: dict[str, float]) -> bool:
        """Takes one epoch's figures into account.

        Args:
            config: monitor, patience, min_delta. None: the latest epoch is the one to keep.
            epoch: 1-based.
            row: the epoch's figures, with the monitored one among them; finite.

        Returns:
            True if this epoch's weights are the ones to keep so far.
        """
        if config is None:
            self.best_epoch = epoch
            return True
        value = row[config.monitor]
        sign = 1.0 if higher_is_better(config.monitor) else -1.0
        if self.reference is None or sign * (value - self.reference) > config.min_delta:
            self.reference, self.wait = value, 0
        else:
            self.wait += 1
            self.stopped = self.wait >= max(config.patience, 1)
        if self.best is None or sign * (value - self.best) > 0:
            self.best, self.best_epoch = value, epoch
            return True
        return False

    def to_state(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return dict(vars(self))
