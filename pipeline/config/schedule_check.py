"""What of a schedule is impossible, as far as it shows before the number of steps is known."""

from __future__ import annotations

from itertools import pairwise

from pipeline.config.duration import Duration
from pipeline.config.schedule import (
    OneCycleSchedule,
    PiecewiseSchedule,
    ReduceOnPlateauSchedule,
    ScheduleConfig,
)


def check_schedule(schedule: ScheduleConfig, epochs: int, learning_rate: float) -> None:
    """Refuses an impossible schedule when the configuration is read.

    Args:
        schedule: of a training.
        epochs: of that training.
        learning_rate: before the schedule.

    Raises:
        ValueError: the warm-up fills the training, boundaries do not rise or stand in the
            warm-up, the one cycle has no room to fall, or min_lr is above the rate.
    """
    warmup = _share(schedule.warmup, epochs)
    if warmup is not None and warmup >= 1:
        raise ValueError(
            f"schedule.warmup: {schedule.warmup.text()} fills all of {epochs} epochs; shorten it "
            "or train longer"
        )
    if isinstance(schedule, PiecewiseSchedule):
        _check_boundaries(schedule, epochs)
    if isinstance(schedule, OneCycleSchedule):
        rise = _share(schedule.rise, epochs)
        if rise is not None and rise + (0.0 if warmup is None else warmup) >= 1:
            raise ValueError(
                f"schedule.rise: {schedule.rise.text()} leaves nothing of {epochs} epochs to fall "
                "in; shorten it"
            )
    if isinstance(schedule, ReduceOnPlateauSchedule) and schedule.min_lr > learning_rate:
        raise ValueError(
            f"schedule.min_lr: {schedule.min_lr} is above optimizer.learning_rate {learning_rate}"
        )


def _check_boundaries(schedule: PiecewiseSchedule, epochs: int) -> None:
    points = [schedule.warmup] if schedule.warmup.amount > 0 else []
    for before, after in pairwise([*points, *schedule.boundaries]):
        low, high = _share(before, epochs), _share(after, epochs)
        if low is not None and high is not None and low >= high:
            what = "the warmup" if before is schedule.warmup else before.text()
            raise ValueError(
                f"schedule.boundaries: {after.text()} does not come after {what} in {epochs} epochs"
            )


def _share(duration: Duration, epochs: int) -> float | None:
    """The part of a training that a duration is; None if that needs the number of steps."""
    if duration.unit == "steps":
        return 0.0 if duration.amount == 0 else None
    return duration.amount if duration.unit == "fraction" else duration.amount / epochs
