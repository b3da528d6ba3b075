"""Random changes of training samples, as pure functions of a batch and a seed.

What a sample becomes depends on the run's seed, the epoch and the step alone (see draws.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.data.draws import around_zero, draw_rows, sign, stream_seed, whole
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import tensorflow as tf

    from pipeline.config.augmentation import Augmentation
    from pipeline.data.samples import Samples

# Of samples that are read from files, this many tell the range of the values.
RANGE_SAMPLES = 1024

Change = Callable[["tf.Tensor", "tf.Tensor"], "tf.Tensor"]


def check_augmentation(config: Augmentation, shape: tuple[int, ...], dtype: Any) -> None:
    """Refuses an augmentation that these samples cannot take.

    Args:
        config: what to change.
        shape: one sample's shape.
        dtype: the samples' dtype.

    Raises:
        ConfigError: naming the key, what was received and what was expected.
    """
    if not np.issubdtype(np.dtype(dtype), np.floating):
        raise ConfigError(f"augmentation changes numbers, received {dtype} samples; leave it out")
    if config.needs_images and len(shape) != 3:
        raise ConfigError(
            f"augmentation needs images (height, width, channels), received samples of shape "
            f"{shape}; only noise is for any shape"
        )
    if not config.moves:
        return
    for key, pixels in (("shift", largest_shift(config, shape)), ("crop", (config.crop,) * 2)):
        if any(reach >= side for reach, side in zip(pixels, shape, strict=False)):
            raise ConfigError(
                f"augmentation.{key} of {max(pixels)} pixels leaves nothing of images of "
                f"{shape[0]}×{shape[1]}; expected less than a side"
            )
    if config.shift and not any(largest_shift(config, shape)):
        raise ConfigError(
            f"augmentation.shift {config.shift} is less than half a pixel of images of "
            f"{shape[0]}×{shape[1]}; give whole pixels, such as 1"
        )


def largest_shift(config: Augmentation, shape: tuple[int, ...]) -> tuple[int, int]:
    """Returns the furthest shift in whole pixels, (down, right)."""
    if isinstance(config.shift, int):
        return config.shift, config.shift
    return round(config.shift * shape[0]), round(config.shift * shape[1])


def value_range(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Returns the least and the largest value per channel, float32 (channels,) each.

    Args:
        samples: the training split's, (n, …, channels). Where they are read from files, up to
            RANGE_SAMPLES of them, spread evenly, are looked at.
    """
    if not isinstance(samples, np.ndarray):
        count = min(len(samples), RANGE_SAMPLES)
        samples = samples[np.linspace(0, len(samples) - 1, count).astype(np.int64)]
    axes = tuple(range(samples.ndim - 1))
    return samples.min(axis=axes), samples.max(axis=axes)


def image_changes(config: Augmentation, samples: Samples) -> Change:
    """Makes the function (x, seed) → x that moves and shades images; noise is not in it.

    Args:
        config: what to change.
        samples: the training split's: their shape and range bound the changes.

    Returns:
        A graph function: float32 (b, height, width, channels) and a step's seed to the same
        shape. Each sample is drawn by itself.
    """
    import tensorflow as tf

    size = samples.shape[1:3]
    shades = bool(config.contrast or config.brightness)
    low, high = value_range(samples) if shades else (np.zeros(1), np.zeros(1))

    def change(x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        rows = draw_rows(seed, tf.shape(x)[0])
        if config.moves:
            x = _move(x, _transforms(config, size, rows), config)
        return _shade(x, config, low, high, rows) if shades else x

    return change if config.needs_images else lambda x, seed: x


def add_noise(x: tf.Tensor, deviation: float, seed: tf.Tensor) -> tf.Tensor:
    """Adds Gaussian noise of this standard deviation to every value."""
    import tensorflow as tf

    return x + deviation * tf.random.stateless_normal(tf.shape(x), stream_seed(seed, "noise"))


def _transforms(
    config: Augmentation, size: tuple[int, ...], rows: dict[str, tf.Tensor]
) -> tf.Tensor:
    """Turns a step's draws into where each pixel comes from: float32 (b, 8)."""
    import tensorflow as tf

    down, right = largest_shift(config, size)
    shift_x = whole(rows["shift_x"], right) + whole(rows["crop_x"], config.crop)
    shift_y = whole(rows["shift_y"], down) + whole(rows["crop_y"], config.crop)
    return inverse_transforms(
        (size[0], size[1]),
        around_zero(rows["rotate"], float(np.deg2rad(config.rotate))),
        1.0 + around_zero(rows["zoom"], config.zoom),
        sign(rows["horizontal_flip"], config.horizontal_flip),
        sign(rows["vertical_flip"], config.vertical_flip),
        tf.stack([shift_x, shift_y]),
    )


def inverse_transforms(
    size: tuple[int, int],
    angle: tf.Tensor,
    zoom: tf.Tensor,
    flip_x: tf.Tensor,
    flip_y: tf.Tensor,
    shift: tf.Tensor,
) -> tf.Tensor:
    """Builds the rows that map places in the result to places in the image.

    What is at p (from the centre) goes to zoom · R(angle) · flip · p + shift; this is the inverse.

    Args:
        size: height and width in pixels.
        angle: float32 (b,), radians, counter-clockwise as one looks at the image.
        zoom: float32 (b,), above 1 enlarges.
        flip_x: float32 (b,), -1 mirrors left and right, 1 does not.
        flip_y: float32 (b,), -1 mirrors top and bottom.
        shift: float32 (2, b), pixels to the right and down.

    Returns:
        float32 (b, 8), as the operation in _move takes it: a0 a1 a2 b0 b1 b2 0 0 with
        x' = a0 x + a1 y + a2, y' = b0 x + b1 y + b2.
    """
    import tensorflow as tf

    center_x, center_y = (size[1] - 1) / 2, (size[0] - 1) / 2
    cosine, sine = tf.cos(angle) / zoom, tf.sin(angle) / zoom
    a0, a1 = flip_x * cosine, -flip_x * sine
    b0, b1 = flip_y * sine, flip_y * cosine
    from_x, from_y = center_x + shift[0], center_y + shift[1]
    a2 = center_x - a0 * from_x - a1 * from_y
    b2 = center_y - b0 * from_x - b1 * from_y
    zero = tf.zeros_like(a0)
    return tf.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1)


def _move(x: tf.Tensor, transforms: tf.Tensor, config: Augmentation) -> tf.Tensor:
    import tensorflow as tf

    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=x,
        transforms=transforms,
        output_shape=tf.shape(x)[1:3],
        fill_value=tf.constant(config.fill_value, tf.float32),
        interpolation=config.interpolation.upper(),
        fill_mode=config.fill.upper(),
    )
    return tf.ensure_shape(moved, x.shape)


def _shade(
    x: tf.Tensor,
    config: Augmentation,
    low: np.ndarray,
    high: np.ndarray,
    rows: dict[str, tf.Tensor],
) -> tf.Tensor:
    """Changes contrast about each image's mean per channel, then brightness; cuts to the range."""
    import tensorflow as tf

    factor = 1.0 + around_zero(rows["contrast"], config.contrast)
    offset = around_zero(rows["brightness"], config.brightness)
    mean = tf.reduce_mean(x, axis=(1, 2), keepdims=True)
    x = mean + (x - mean) * factor[:, None, None, None]
    x += offset[:, None, None, None] * (high - low)
    return tf.clip_by_value(x, low, high)
