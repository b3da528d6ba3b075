"""Learning-rate schedules as tables: one rate per optimizer step, in pure NumPy.

Both frameworks read the same table in their training step, so a schedule is defined once and
what ran can be compared with it number by number. With s the step (0, 1, …), S the number of
steps, W those of the warm-up, w = warmup_start_fraction, r the base rate, t = s - W, and f(t) the
factor of the kind (a = final_fraction, D = decay_steps, E = every):

    s < W              r · f(0) · (w + (1 - w) · s / W), else r · f(t)

    constant           1
    step               drop^floor(t / E)
    piecewise          factors[i], i = number of boundaries ≤ s
    exponential        decay_rate^(t / D)
    inverse_time       1 / (1 + decay_rate · t / D)
      staircase        … of both: floor(t / D)
    polynomial         a + (1 - a) · (1 - min(t, D) / D)^power        D: S - W unless given
      cycle            … with D · max(ceil(t / D), 1) for D
    cosine             a + (1 - a) · (1 + cos(π · t / (S - W))) / 2
    cosine_restarts    a + (1 - a) · m_mul^i · (1 + cos(π · u)) / 2   u: part of period i that is
                       over; period i has first_decay_steps · t_mul^i steps
    one_cycle          from initial_fraction up to 1 at t = rise - 1, down to a at the last step
    hold_then_decay    1 for t < hold, then e^(-decay · (floor((t - hold) / E) + 1))
    reduce_on_plateau  1; what the validation figures make of it: pipeline/training/plateau.py

A duration is rounded to whole steps. The functions and their papers: pipeline/training/decays.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ConfigError
from pipeline.training.decays import (
    cosine_factors,
    cosine_restart_factors,
    exponential_factors,
    hold_then_decay_factors,
    inverse_time_factors,
    one_cycle_factors,
    piecewise_factors,
    polynomial_factors,
    step_factors,
)

if TYPE_CHECKING:
    from pipeline.config.schedule import Duration, ScheduleConfig


def learning_rates(
    schedule: ScheduleConfig, base_rate: float, steps_per_epoch: int, epochs: int
) -> np.ndarray:
    """Computes the learning rate of every step of a training.

    Args:
        schedule: of any kind, with its warm-up.
        base_rate: what the factors multiply, above 0.
        steps_per_epoch: optimizer steps in an epoch, 1 or more.
        epochs: epochs of the whole training, 1 or more.

    Returns:
        float32 array of shape (epochs * steps_per_epoch,), computed in float64.

    Raises:
        ConfigError: the warm-up leaves no step, or a duration does not fit into the training.
    """
    total = epochs * steps_per_epoch
    warmup = schedule.warmup.steps(total, steps_per_epoch)
    if warmup >= total:
        raise ConfigError(
            f"schedule.warmup is {warmup} steps, expected fewer than the {total} steps of the "
            f"training ({epochs} epochs of {steps_per_epoch}); shorten it or train longer"
        )
    factors = FACTORS[schedule.kind](schedule, _Frame(total, warmup, steps_per_epoch))
    start = schedule.warmup_start_fraction
    rise = start + (1.0 - start) * np.arange(warmup) / max(warmup, 1)
    return (base_rate * np.concatenate([factors[0] * rise, factors])).astype(np.float32)


@dataclass(frozen=True)
class _Frame:
    """The training that a schedule fills: its steps, those of the warm-up, those of an epoch."""

    total: int
    warmup: int
    steps_per_epoch: int

    @property
    def t(self) -> np.ndarray:
        """The steps from the end of the warm-up, float64."""
        return np.arange(self.total - self.warmup, dtype=np.float64)

    def steps(self, duration: Duration) -> int:
        """A duration in whole steps."""
        return duration.steps(self.total, self.steps_per_epoch)

    def period(self, duration: Duration, field: str) -> int:
        """A duration in whole steps, which must not be 0."""
        steps = self.steps(duration)
        if steps < 1:
            raise ConfigError(
                f"schedule.{field} is {duration.text()} = 0 of {self.total} steps, "
                "expected at least 1 step; make it longer"
            )
        return steps


def _step(schedule: Any, frame: _Frame) -> np.ndarray:
    return step_factors(frame.t, schedule.drop, frame.period(schedule.every, "every"))


def _piecewise(schedule: Any, frame: _Frame) -> np.ndarray:
    points = [frame.period(boundary, "boundaries") for boundary in schedule.boundaries]
    for before, after in pairwise([frame.warmup, *points]):
        if after <= before and not before == frame.warmup == 0:
            raise ConfigError(
                f"schedule.boundaries are the steps {points} after a warm-up of {frame.warmup}, "
                "expected a rising row after it; move them apart"
            )
    return piecewise_factors(frame.t + frame.warmup, points, schedule.factors)


def _exponential(schedule: Any, frame: _Frame) -> np.ndarray:
    period = frame.period(schedule.decay_steps, "decay_steps")
    return exponential_factors(frame.t, schedule.decay_rate, period, schedule.staircase)


def _inverse_time(schedule: Any, frame: _Frame) -> np.ndarray:
    period = frame.period(schedule.decay_steps, "decay_steps")
    return inverse_time_factors(frame.t, schedule.decay_rate, period, schedule.staircase)


def _polynomial(schedule: Any, frame: _Frame) -> np.ndarray:
    span = frame.total - frame.warmup
    if schedule.decay_steps is not None:
        span = frame.period(schedule.decay_steps, "decay_steps")
    return polynomial_factors(
        frame.t, schedule.power, schedule.final_fraction, span, schedule.cycle
    )


def _cosine(schedule: Any, frame: _Frame) -> np.ndarray:
    return cosine_factors(frame.t, schedule.final_fraction, frame.total - frame.warmup)


def _cosine_restarts(schedule: Any, frame: _Frame) -> np.ndarray:
    first = frame.period(schedule.first_decay_steps, "first_decay_steps")
    return cosine_restart_factors(
        frame.t, first, schedule.t_mul, schedule.m_mul, schedule.final_fraction
    )


def _one_cycle(schedule: Any, frame: _Frame) -> np.ndarray:
    rise, steps = frame.steps(schedule.rise), frame.total - frame.warmup
    if not 1 < rise < steps:
        raise ConfigError(
            f"schedule.rise is {rise} of {steps} steps, expected at least 2 and less than all of "
            "them; change it or train longer"
        )
    return one_cycle_factors(
        frame.t, rise, schedule.initial_fraction, schedule.final_fraction, schedule.anneal
    )


def _hold_then_decay(schedule: Any, frame: _Frame) -> np.ndarray:
    every = frame.period(schedule.every, "every")
    return hold_then_decay_factors(frame.t, frame.steps(schedule.hold), schedule.decay, every)


def _ones(schedule: Any, frame: _Frame) -> np.ndarray:
    return np.ones_like(frame.t)


FACTORS: dict[str, Callable[[Any, _Frame], np.ndarray]] = {
    "constant": _ones,
    "step": _step,
    "piecewise": _piecewise,
    "exponential": _exponential,
    "inverse_time": _inverse_time,
    "polynomial": _polynomial,
    "cosine": _cosine,
    "cosine_restarts": _cosine_restarts,
    "one_cycle": _one_cycle,
    "hold_then_decay": _hold_then_decay,
    "reduce_on_plateau": _ones,
}
