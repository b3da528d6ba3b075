"""Learning-rate schedules as tables: one rate per optimizer step, in pure NumPy.

Both frameworks read the same table in their training step, so a schedule is defined once and
what ran can be compared with it number by number. With s the step (0, 1, …), S the number of
steps, W the warm-up in steps, t = s - W and r the base rate:

    s < W          rate(s) = r · s / W
    constant       rate(t) = r
    exponential    rate(t) = r · decay_rate^(t / E)          E = decay_every in steps
      staircase    rate(t) = r · decay_rate^floor(t / E)
    step           rate(t) = r · drop^floor(t / E)           E = every in steps
    cosine         rate(t) = r · (a + (1 - a) · (1 + cos(π · t / (S - W))) / 2)
                                                             a = final_fraction

The warm-up and the cosine are those of keras.optimizers.schedules.CosineDecay (Loshchilov and
Hutter, SGDR, ICLR 2017); the exponential is that of ExponentialDecay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.config.schedule import Duration, ScheduleConfig


def learning_rates(
    schedule: ScheduleConfig, base_rate: float, steps_per_epoch: int, epochs: int
) -> np.ndarray:
    """Computes the learning rate of every step of a training.

    Args:
        schedule: one of the kinds constant, exponential, step, cosine, with its warm-up.
        base_rate: rate after warm-up, above 0.
        steps_per_epoch: optimizer steps in an epoch, 1 or more.
        epochs: epochs of the whole training, 1 or more.

    Returns:
        float32 array of shape (epochs * steps_per_epoch,), computed in float64.

    Raises:
        ConfigError: the warm-up leaves no step at the full rate, or a decay period is 0 steps.
    """
    total = epochs * steps_per_epoch
    warmup = schedule.warmup.steps(total, steps_per_epoch)
    if warmup >= total:
        raise ConfigError(
            f"schedule.warmup is {warmup} steps, expected fewer than the {total} steps of the "
            f"training ({epochs} epochs of {steps_per_epoch}); shorten it or train longer"
        )
    rates = np.empty(total, np.float64)
    rates[:warmup] = base_rate * np.arange(warmup) / max(warmup, 1)
    rates[warmup:] = base_rate * _decay(schedule, total, warmup, steps_per_epoch)
    return rates.astype(np.float32)


def _decay(schedule: ScheduleConfig, total: int, warmup: int, steps_per_epoch: int) -> np.ndarray:
    """The factor on the base rate at t = 0 … total - warmup - 1, float64."""
    t = np.arange(total - warmup, dtype=np.float64)
    if schedule.kind == "constant":
        return np.ones_like(t)
    if schedule.kind == "exponential":
        periods = t / _period(schedule.decay_every, "decay_every", total, steps_per_epoch)
        return schedule.decay_rate ** (np.floor(periods) if schedule.staircase else periods)
    if schedule.kind == "step":
        periods = t / _period(schedule.every, "every", total, steps_per_epoch)
        return schedule.drop ** np.floor(periods)
    if schedule.kind == "cosine":
        wave = (1.0 + np.cos(np.pi * t / (total - warmup))) / 2.0
        return schedule.final_fraction + (1.0 - schedule.final_fraction) * wave
    raise ConfigError(
        f"schedule.kind is {schedule.kind!r}, expected constant, exponential, step or cosine"
    )


def _period(duration: Duration, field: str, total: int, steps_per_epoch: int) -> int:
    """A decay period in steps, which must not round to 0."""
    steps = duration.steps(total, steps_per_epoch)
    if steps < 1:
        raise ConfigError(
            f"schedule.{field} is {duration.amount} {duration.unit} = 0 of {total} steps, "
            "expected at least 1 step; make it longer"
        )
    return steps
