"""Mean outputs of linear layers, by hand and against sums over all positions."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.compression.expected_outputs import (
    Windows,
    expected_convolution,
    expected_dense,
    expected_depthwise,
    mean_windows,
)


def test_dense_by_hand() -> None:
    kernel = np.array([[1, 2], [3, -4]], np.float32)
    assert expected_dense(np.array([0.5, 1.0]), kernel).tolist() == [2.5, -2.5]
    # Two positions: their mean is (1, 2).
    assert expected_dense(np.array([[0.0, 1.0], [2.0, 3.0]]), kernel).tolist() == [5.0, -5.0]


def test_windows_by_hand() -> None:
    image = np.arange(9.0).reshape(3, 3, 1)  # 0 1 2 / 3 4 5 / 6 7 8
    assert mean_windows(image, (2, 2), Windows())[..., 0].tolist() == [[2, 3], [5, 6]]
    # Stride 2, VALID: one position.
    assert mean_windows(image, (2, 2), Windows((2, 2)))[..., 0].tolist() == [[0, 1], [3, 4]]
    # SAME with stride 2: 2 × 2 positions, one row and one column of zeros at the end.
    same = mean_windows(image, (2, 2), Windows((2, 2), padding="SAME"))[..., 0]
    assert same.tolist() == [[(0 + 2 + 6 + 8) / 4, (1 + 7) / 4], [(3 + 5) / 4, 1.0]]
    # Dilation 2: a 2 × 2 window spans all three.
    assert mean_windows(image, (2, 2), Windows(dilations=(2, 2)))[..., 0].tolist() == [
        [0, 2],
        [6, 8],
    ]


@pytest.mark.parametrize(
    ("strides", "dilations"), [((1, 1), (1, 1)), ((2, 3), (1, 1)), ((1, 1), (2, 1))]
)
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("groups", [1, 2])
def test_the_mean_of_a_convolution_is_that_of_tensorflow(
    strides: tuple[int, int], dilations: tuple[int, int], padding: str, groups: int
) -> None:
    import tensorflow as tf

    generator = np.random.default_rng(0)
    x = generator.normal(size=(3, 9, 8, 4))
    kernel = generator.normal(size=(6, 3, 2, 4 // groups))
    outputs = tf.nn.conv2d(
        x, kernel.transpose(1, 2, 3, 0), strides, padding, dilations=dilations
    ).numpy()
    windows = Windows(strides, dilations, padding)  # type: ignore[arg-type]
    received = expected_convolution(x.mean(axis=0), kernel, windows)
    np.testing.assert_allclose(received, outputs.mean(axis=(0, 1, 2)), atol=1e-12)


def test_the_mean_of_a_depthwise_convolution_is_that_of_tensorflow() -> None:
    import tensorflow as tf

    generator = np.random.default_rng(1)
    x = generator.normal(size=(3, 7, 8, 4))
    kernel = generator.normal(size=(1, 3, 3, 8))
    filters = kernel.reshape(3, 3, 4, 2)
    outputs = tf.nn.depthwise_conv2d(x, filters, (1, 2, 2, 1), "SAME").numpy()
    received = expected_depthwise(x.mean(axis=0), kernel, Windows((2, 2), padding="SAME"))
    np.testing.assert_allclose(received, outputs.mean(axis=(0, 1, 2)), atol=1e-12)
