"""Which channels matter least: scores of a layer's channels, of units, and the order to remove."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def channel_norms(kernel: np.ndarray, axis: int, order: int) -> np.ndarray:
    """Returns the norm of each output channel's weights (Li et al. 2017, arXiv 1608.08710).

    Args:
        kernel: of a layer.
        axis: of the output channels.
        order: 1 for Σ|w|, 2 for √Σw².

    Returns:
        float64 (channels,), ≥ 0.
    """
    rows = np.moveaxis(kernel, axis, 0).reshape(kernel.shape[axis], -1).astype(np.float64)
    return np.linalg.norm(rows, ord=order, axis=1)


def normalize_scores(scores: np.ndarray) -> np.ndarray:
    """Divides by √Σ scores², so that layers compare (Molchanov et al. 2017, equation 8).

    Args:
        scores: of the channels of one layer, ≥ 0.

    Returns:
        float64 of the same shape; all zeros stay zeros.
    """
    length = float(np.linalg.norm(scores))
    return scores / length if length > 0 else scores.astype(np.float64)


def mean_over_layers(scored: Iterable[tuple[np.ndarray, np.ndarray]], units: int) -> np.ndarray:
    """Averages the scores of the channels that each unit is made of.

    Args:
        scored: for each layer the units of its channels, int (channels,), and their scores.
        units: how many units there are.

    Returns:
        float64 (units,); NaN for a unit that no layer scores.
    """
    sums, counts = np.zeros(units), np.zeros(units)
    for channels, scores in scored:
        np.add.at(sums, channels, scores)
        np.add.at(counts, channels, 1)
    with np.errstate(invalid="ignore"):
        return sums / counts


def sum_by_unit(channels: np.ndarray, values: np.ndarray, units: int) -> np.ndarray:
    """Sums each sample's values of the channels that belong to a unit.

    Args:
        channels: the unit of each channel, int (channels,).
        values: float (samples, channels).
        units: how many units there are.

    Returns:
        float64 (units, samples).
    """
    sums = np.zeros((units, len(values)))
    np.add.at(sums, channels, values.T)
    return sums


def removal_order(scores: np.ndarray, channels: np.ndarray, least: int) -> np.ndarray:
    """Orders units from the least important on, as far as every layer keeps enough channels.

    Args:
        scores: float (units,).
        channels: int (layers, units), how many channels of each layer a unit holds.
        least: channels that each layer keeps, ≥ 1.

    Returns:
        int64 (removable,), places in `scores`; the first k of them may go together, for any k.
    """
    left = channels.sum(axis=1)
    order = []
    for unit in np.argsort(scores, kind="stable"):
        after = left - channels[:, unit]
        if np.all((after >= least) | (channels[:, unit] == 0)):
            left = after
            order.append(unit)
    return np.array(order, dtype=np.int64)
