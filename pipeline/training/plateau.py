"""Reduce-on-plateau: what the validation figures make of the learning rate, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config.schedule import ReduceOnPlateauSchedule
from pipeline.tasks.task import higher_is_better

if TYPE_CHECKING:
    from pipeline.config.schedule import ScheduleConfig


@dataclass
class Plateau:
    """Follows the monitored figure as keras.callbacks.ReduceLROnPlateau does.

    A pure function of the history: a resumed training replays its rows and has the same state.

    Attributes:
        lowest: least scale, min_lr / learning rate.
        scale: factor on the rate now, in [lowest, 1].
        best: the figure to beat by more than min_delta.
        wait: epochs without a better one.
        cooldown: epochs still not to be counted.
    """

    schedule: ReduceOnPlateauSchedule
    lowest: float = 0.0
    scale: float = 1.0
    best: float | None = None
    wait: int = 0
    cooldown: int = 0

    def update(self, figures: Mapping[str, float]) -> None:
        """Takes one epoch into account; `figures` has the monitored one among them."""
        value = figures[self.schedule.monitor]
        if self.cooldown > 0:
            self.cooldown -= 1
            self.wait = 0
        sign = 1.0 if higher_is_better(self.schedule.monitor) else -1.0
        if self.best is None or sign * (value - self.best) > self.schedule.min_delta:
            self.best, self.wait = value, 0
        elif self.cooldown == 0:
            self.wait += 1
            if self.wait >= self.schedule.patience and self.scale > self.lowest:
                self.scale = max(self.scale * self.schedule.factor, self.lowest)
                self.cooldown, self.wait = self.schedule.cooldown, 0


def plateau_scale(
    schedule: ScheduleConfig, base_rate: float, history: Iterable[Mapping[str, float]]
) -> float:
    """Returns the factor on the learning rate for the epochs after a history.

    The training goes on with the table of `learning_rates` for base_rate times this factor.

    Args:
        schedule: any; 1.0 for all but reduce_on_plateau.
        base_rate: the learning rate before any reduction, above 0.
        history: the rows of the finished epochs, first to last.
    """
    if not isinstance(schedule, ReduceOnPlateauSchedule):
        return 1.0
    plateau = Plateau(schedule, min(schedule.min_lr / base_rate, 1.0))
    for row in history:
        plateau.update(row)
    return plateau.scale
