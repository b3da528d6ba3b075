"""The factor of each schedule on the learning rate, step by step: pure functions on arrays.

In all of them t is float64 (n,): 0, 1, … from the end of the warm-up; the factor is float64 (n,).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def step_factors(t: np.ndarray, drop: float, every: float) -> np.ndarray:
    """drop^floor(t / every)."""
    return np.asarray(drop ** np.floor(t / every))


def piecewise_factors(
    t: np.ndarray, boundaries: Sequence[float], factors: Sequence[float]
) -> np.ndarray:
    """factors[number of boundaries b with b ≤ t].

    Keras's PiecewiseConstantDecay changes one step later, after t = b: there "2 epochs" would
    end with the first step of the third.
    """
    return np.asarray(factors, np.float64)[np.searchsorted(boundaries, t, side="right")]


def exponential_factors(
    t: np.ndarray, decay_rate: float, decay_steps: float, staircase: bool
) -> np.ndarray:
    """decay_rate^(t / decay_steps), as keras.optimizers.schedules.ExponentialDecay."""
    periods = t / decay_steps
    return np.asarray(decay_rate ** (np.floor(periods) if staircase else periods))


def inverse_time_factors(
    t: np.ndarray, decay_rate: float, decay_steps: float, staircase: bool
) -> np.ndarray:
    """1 / (1 + decay_rate · t / decay_steps), as keras.optimizers.schedules.InverseTimeDecay."""
    periods = t / decay_steps
    return 1.0 / (1.0 + decay_rate * (np.floor(periods) if staircase else periods))


def polynomial_factors(
    t: np.ndarray, power: float, final_fraction: float, decay_steps: float, cycle: bool
) -> np.ndarray:
    """a + (1 - a) · (1 - p)^power, as keras.optimizers.schedules.PolynomialDecay.

    p is min(t, D) / D with D = decay_steps; with `cycle` it is t / (D · max(ceil(t / D), 1)), so
    that after each fall the factor rises again and falls more slowly.
    """
    if cycle:
        p = t / (decay_steps * np.maximum(np.ceil(t / decay_steps), 1.0))
    else:
        p = np.minimum(t / decay_steps, 1.0)
    return final_fraction + (1.0 - final_fraction) * (1.0 - p) ** power


def cosine_factors(t: np.ndarray, final_fraction: float, decay_steps: float) -> np.ndarray:
    """a + (1 - a) · (1 + cos(π · t / decay_steps)) / 2, as CosineDecay of Keras.

    Loshchilov and Hutter, SGDR, ICLR 2017, equation 5.
    """
    wave = (1.0 + np.cos(np.pi * np.minimum(t / decay_steps, 1.0))) / 2.0
    return np.asarray(final_fraction + (1.0 - final_fraction) * wave)


def cosine_restart_factors(
    t: np.ndarray, first_decay_steps: float, t_mul: float, m_mul: float, final_fraction: float
) -> np.ndarray:
    """a + (1 - a) · m_mul^i · (1 + cos(π · u)) / 2, as CosineDecayRestarts of Keras.

    Period i is T_i = first_decay_steps · t_mul^i steps long and begins where the one before ends;
    u is the part of it that is over. Loshchilov and Hutter, SGDR, ICLR 2017.
    """
    starts = [0.0]
    while starts[-1] <= t[-1]:
        starts.append(starts[-1] + first_decay_steps * t_mul ** (len(starts) - 1))
    edges = np.asarray(starts)
    period = np.searchsorted(edges, t, side="right") - 1
    u = (t - edges[period]) / (edges[period + 1] - edges[period])
    height = m_mul ** period.astype(np.float64)
    return np.asarray(
        final_fraction + (1.0 - final_fraction) * height * (1.0 + np.cos(np.pi * u)) / 2.0
    )


def one_cycle_factors(
    t: np.ndarray, rise: float, initial_fraction: float, final_fraction: float, anneal: str
) -> np.ndarray:
    """From initial_fraction up to 1 at t = rise - 1, down to final_fraction at the last step.

    Smith and Topin, Super-Convergence, 2018; with anneal "cosine", rise 30 %, 1/25 and 4e-6 the
    rates of torch.optim.lr_scheduler.OneCycleLR. The momentum stays as it is.

    Args:
        rise: steps of the way up, above 1 and at most len(t) - 1.
        anneal: "cosine" or "linear".
    """
    peak, last = rise - 1.0, t[-1]
    up = t <= peak
    p = np.where(up, t / peak, (t - peak) / (last - peak))
    share = (1.0 - np.cos(np.pi * p)) / 2.0 if anneal == "cosine" else p
    return np.where(
        up,
        initial_fraction + (1.0 - initial_fraction) * share,
        1.0 + (final_fraction - 1.0) * share,
    )


def hold_then_decay_factors(t: np.ndarray, hold: float, decay: float, every: float) -> np.ndarray:
    """1 while t < hold, then e^(-decay · (floor((t - hold) / every) + 1))."""
    falls = np.where(t < hold, 0.0, np.floor((t - hold) / every) + 1.0)
    return np.asarray(np.exp(-decay * falls))
