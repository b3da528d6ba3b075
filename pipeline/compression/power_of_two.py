"""Scales that are powers of two: few different ones, so that an encoder finds them again."""

from __future__ import annotations

import numpy as np


def round_up_to_power_of_two(scales: np.ndarray) -> np.ndarray:
    """Returns the smallest power of two that is at least each scale.

    Args:
        scales: float, > 0 and finite, any shape.

    Returns:
        float64 of the same shape, in [scales, 2 · scales).
    """
    mantissas, exponents = np.frexp(np.asarray(scales, np.float64))
    # frexp gives mantissas in [0.5, 1); a power of two has 0.5 and stays.
    return np.ldexp(1.0, exponents - (mantissas == 0.5).astype(exponents.dtype))


def requantize(codes: np.ndarray, ratios: np.ndarray, axis: int) -> np.ndarray:
    """Rewrites codes of one scale in another: code · ratio, rounded to even.

    Equal codes of a channel stay equal, and zero stays zero.

    Args:
        codes: integers.
        ratios: float (1,) or (codes.shape[axis],), old scale / new scale, in (0, 1].
        axis: of the channels, in [0, rank).

    Returns:
        Of the same shape and dtype.
    """
    shape = [1] * codes.ndim
    shape[axis] = -1
    factors = ratios if ratios.size == 1 else ratios.reshape(shape)
    return np.rint(codes * factors).astype(codes.dtype)
