"""Cross-layer equalization: factors that give two layers in a row equal ranges, channel by channel.

ReLU(s · x) = s · ReLU(x) for s > 0. So channel i of a layer may be divided by s_i if the next layer
multiplies it by s_i again (Nagel et al. 2019, arXiv 1906.04721, section 4.1).
"""

from __future__ import annotations

import numpy as np


def equalizing_factors(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The factors after which both layers have the same range in each channel (equation 11).

    Args:
        first: (channels,), the largest |weight| of each output channel of the first layer.
        second: (channels,), that of each input channel of the second.

    Returns:
        float64 (channels,), s: first / s = second · s = √(first · second). 1 for a channel that
        either layer has no weight in, which no factor gives a range.
    """
    alive = (first > 0) & (second > 0)
    ratio = np.divide(first, second, out=np.ones(len(first)), where=alive)
    return np.sqrt(ratio)


def output_ranges(kernel: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Largest |weight| of each output channel.

    Args:
        kernel: (…, in, out) as Keras stores it; of a depthwise convolution (…, in, multiplier).
        factors: (outputs,), what the layer behind multiplies each output by.

    Returns:
        float64 (outputs,).
    """
    columns = np.abs(kernel.reshape(-1, len(factors)))
    return np.asarray(columns.max(axis=0) * np.abs(factors))


def input_ranges(kernel: np.ndarray, factors: np.ndarray, channels: int) -> np.ndarray:
    """Largest |weight| that reads each input channel, over all outputs.

    Args:
        kernel: as for `output_ranges`; that of a dense layer behind a Flatten reads each channel
            at several positions: (positions · channels, out).
        factors: (outputs,), what the layer behind multiplies each output by.
        channels: how many are read.

    Returns:
        float64 (channels,).
    """
    rows = _by_input(kernel, channels)
    # The outputs of a depthwise convolution are its inputs, `multiplier` times.
    behind = factors if rows.shape[2] == len(factors) else factors.reshape(channels, -1)
    return np.asarray(np.abs(rows * behind).max(axis=(0, 2)))


def scale_inputs(kernel: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Multiplies what reads each input channel; see `input_ranges`.

    Args:
        kernel: (…, in, out).
        factors: (channels,).
    """
    scaled = _by_input(kernel, len(factors)) * factors[:, None]
    return np.asarray(scaled.reshape(kernel.shape))


def scale_outputs(kernel: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Multiplies each output channel; see `output_ranges`.

    Args:
        kernel: (…, in, out), or a bias (out,).
        factors: (outputs,).
    """
    return np.asarray((kernel.reshape(-1, len(factors)) * factors).reshape(kernel.shape))


def _by_input(kernel: np.ndarray, channels: int) -> np.ndarray:
    """Returns a view (positions, channels, outputs of each)."""
    return kernel.reshape(-1, channels, kernel.shape[-1])
