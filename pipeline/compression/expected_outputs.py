"""The mean output per channel of a linear layer, from the mean of its input.

A convolution and a dense layer are linear: the mean of their outputs over samples is their output
for the mean sample. Over positions, too, nothing but the mean of each shifted window is needed. So
what a quantized layer is off by on average (Nagel et al. 2019, arXiv 1906.04721, section 4.2,
equation 17) takes the means of two inputs, and no output at all: what an activation behind the
layer does, or where int8 cuts off, does not blur it.

Kernels are laid out as TFLite stores them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Windows:
    """How a convolution steps over its input; each pair is (rows, columns)."""

    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    padding: Literal["SAME", "VALID"] = "VALID"


def expected_dense(mean_input: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Mean output of a dense layer without its bias.

    Args:
        mean_input: (…, inputs), the mean over samples; other axes are averaged over.
        kernel: (outputs, inputs).

    Returns:
        float64 (outputs,).
    """
    inputs = mean_input.reshape(-1, kernel.shape[1]).astype(np.float64).mean(axis=0)
    return kernel.astype(np.float64) @ inputs


def expected_convolution(
    mean_input: np.ndarray, kernel: np.ndarray, windows: Windows
) -> np.ndarray:
    """Mean output per channel of a convolution without its bias, over all positions.

    Args:
        mean_input: (h, w, in), the mean over samples.
        kernel: (out, kh, kw, in / groups): the outputs of the first group come first.
        windows: its steps.

    Returns:
        float64 (out,).
    """
    means = mean_windows(mean_input, kernel.shape[1:3], windows)
    groups = mean_input.shape[2] // kernel.shape[3]
    parts = [
        np.einsum("ohwi,hwi->o", outputs, inputs)
        for outputs, inputs in zip(
            np.split(kernel.astype(np.float64), groups),
            np.split(means, groups, axis=2),
            strict=True,
        )
    ]
    return np.concatenate(parts)


def expected_depthwise(mean_input: np.ndarray, kernel: np.ndarray, windows: Windows) -> np.ndarray:
    """Mean output per channel of a depthwise convolution without its bias, over all positions.

    Args:
        mean_input: (h, w, in), the mean over samples.
        kernel: (1, kh, kw, in · multiplier); the outputs of one input lie side by side.
        windows: its steps.

    Returns:
        float64 (in · multiplier,).
    """
    means = mean_windows(mean_input, kernel.shape[1:3], windows)
    multiplier = kernel.shape[3] // mean_input.shape[2]
    return np.asarray((kernel[0] * np.repeat(means, multiplier, axis=2)).sum(axis=(0, 1)))


def mean_windows(image: np.ndarray, size: Sequence[int], windows: Windows) -> np.ndarray:
    """Mean over all positions of what each element of a window sees; padding counts as 0.

    Args:
        image: (h, w, channels).
        size: rows and columns of the window.
        windows: its steps; "SAME" pads as TensorFlow does, the odd row or column at the end.

    Returns:
        float64 (*size, channels).
    """
    axes = [_axis(image.shape[axis], size[axis], windows, axis) for axis in (0, 1)]
    padded = np.pad(image.astype(np.float64), [axes[0].padding, axes[1].padding, (0, 0)])
    result = np.empty((*size, image.shape[2]))
    for row in range(size[0]):
        for column in range(size[1]):
            seen = padded[axes[0].places(row)][:, axes[1].places(column)]
            result[row, column] = seen.mean(axis=(0, 1))
    return result


@dataclass(frozen=True)
class _Axis:
    padding: tuple[int, int]
    positions: int
    stride: int
    dilation: int

    def places(self, element: int) -> slice:
        start = element * self.dilation
        return slice(start, start + (self.positions - 1) * self.stride + 1, self.stride)


def _axis(length: int, size: int, windows: Windows, axis: int) -> _Axis:
    stride, dilation = windows.strides[axis], windows.dilations[axis]
    span = (size - 1) * dilation + 1
    if windows.padding == "VALID":
        return _Axis((0, 0), (length - span) // stride + 1, stride, dilation)
    positions = -(-length // stride)
    missing = max((positions - 1) * stride + span - length, 0)
    return _Axis((missing // 2, missing - missing // 2), positions, stride, dilation)
