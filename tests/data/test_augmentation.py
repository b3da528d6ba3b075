from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pipeline.config.augmentation import Augmentation
from pipeline.data import augmentation
from pipeline.data.augmentation import check_augmentation, image_changes, value_range
from pipeline.data.draws import step_seed
from pipeline.errors import ConfigError
from pipeline.runtime import start_tensorflow

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(size=(3, 5, 7, 2)).astype(np.float32)
SQUARE = RNG.uniform(size=(2, 6, 6, 1)).astype(np.float32)
EVERYTHING: dict[str, Any] = {
    "horizontal_flip": True, "vertical_flip": True, "shift": 0.2, "crop": 1, "rotate": 15.0,
    "zoom": 0.1, "contrast": 0.2, "brightness": 0.1,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _deterministic() -> None:
    start_tensorflow(0)


def seed(epoch: int = 0, step: int = 0, run: int = 0) -> Any:
    import tensorflow as tf

    return step_seed(run, tf.constant(epoch, tf.int64), tf.constant(step, tf.int64))


def change(x: np.ndarray, at: Any = None, **options: Any) -> np.ndarray:
    """Changes a batch; the range of the data is that of x."""
    config = Augmentation.model_validate(options)
    result: np.ndarray = image_changes(config, x)(x, seed() if at is None else at).numpy()
    assert result.shape == x.shape and result.dtype == np.float32
    return result


def move(x: np.ndarray, **given: Any) -> np.ndarray:
    """Moves every image of a batch alike: angle in degrees, zoom, flips and shifts as given."""
    import tensorflow as tf

    def of(name: str, default: float) -> Any:
        return tf.fill([len(x)], np.float32(given.pop(name, default)))

    angle, zoom = of("angle", 0.0) * np.float32(math.pi / 180), of("zoom", 1.0)
    flips = of("flip_x", 1.0), of("flip_y", 1.0)
    shift = tf.stack([of("right", 0.0), of("down", 0.0)])
    transforms = augmentation.inverse_transforms(x.shape[1:3], angle, zoom, *flips, shift)
    result: np.ndarray = augmentation._move(x, transforms, Augmentation(**given)).numpy()
    return result


def test_no_motion_is_the_same_bits() -> None:
    np.testing.assert_array_equal(move(IMAGES), IMAGES)


def test_flips_are_mirrors() -> None:
    np.testing.assert_array_equal(move(IMAGES, flip_x=-1), IMAGES[:, :, ::-1])
    np.testing.assert_array_equal(move(IMAGES, flip_y=-1), IMAGES[:, ::-1])


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, 1), (-2, 3)])
def test_a_wrapped_shift_is_a_roll(down: int, right: int) -> None:
    moved = move(IMAGES, down=down, right=right, fill="wrap")
    np.testing.assert_array_equal(moved, np.roll(IMAGES, (down, right), axis=(1, 2)))


@pytest.mark.parametrize(
    ("fill", "pad"),
    [("constant", "constant"), ("nearest", "edge"), ("reflect", "symmetric"), ("wrap", "wrap")],
)
def test_fill_comes_in_from_the_side(fill: Any, pad: Any) -> None:
    padded = np.pad(IMAGES, ((0, 0), (2, 0), (0, 0), (0, 0)), mode=pad)
    np.testing.assert_array_equal(move(IMAGES, down=2, fill=fill), padded[:, :5])


def test_fill_value_is_what_comes_in() -> None:
    assert (move(IMAGES, right=1, fill_value=-3.0)[:, :, 0] == -3).all()


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_those_of_numpy(quarters: int) -> None:
    turned = np.rot90(SQUARE, quarters, axes=(1, 2))
    np.testing.assert_array_equal(
        move(SQUARE, angle=90 * quarters, interpolation="nearest"), turned
    )
    np.testing.assert_allclose(move(SQUARE, angle=90 * quarters, fill="nearest"), turned, atol=1e-5)


def test_zoom_by_two_enlarges_the_centre() -> None:
    ramp = np.arange(5, dtype=np.float32).reshape(1, 1, 5, 1) * np.ones((1, 5, 1, 1), np.float32)
    # the centre stays at 2, each pixel is half as far from it
    assert move(ramp, zoom=2.0)[0, 2, :, 0].tolist() == [1.0, 1.5, 2.0, 2.5, 3.0]


def test_turn_then_shift_keeps_the_order_that_is_documented() -> None:
    turned = np.rot90(SQUARE, 1, axes=(1, 2))
    moved = move(SQUARE, angle=90, right=1, interpolation="nearest")
    np.testing.assert_array_equal(moved[:, :, 1:], turned[:, :, :-1])
    assert (moved[:, :, 0] == 0).all()


def many(**options: Any) -> tuple[np.ndarray, np.ndarray]:
    x = np.repeat(IMAGES[:1], 400, axis=0)
    return x, change(x, **options)


def test_about_half_of_the_images_are_flipped() -> None:
    x, y = many(horizontal_flip=True)
    flipped = (y == x[:, :, ::-1]).all(axis=(1, 2, 3))
    kept = (y == x).all(axis=(1, 2, 3))
    assert (flipped ^ kept).all()
    assert 150 < flipped.sum() < 250


@pytest.mark.parametrize("key", ["shift", "crop"])
def test_shifts_are_all_the_whole_pixels_within_reach(key: str) -> None:
    x, y = many(**{key: 1})
    padded = np.pad(x[:1], ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = [padded[0, i : i + 5, j : j + 7] for i in range(3) for j in range(3)]
    counts = [int((y == window).all(axis=(1, 2, 3)).sum()) for window in windows]
    assert sum(counts) == 400
    assert min(counts) > 20


def test_a_fraction_is_of_each_side() -> None:
    config = Augmentation.model_validate({"shift": 0.2})
    assert augmentation.largest_shift(config, (10, 20, 1)) == (2, 4)


def test_contrast_by_hand() -> None:
    x = np.array([0, 1, 2, 1], np.float32).reshape(1, 2, 2, 1)
    y = change(np.repeat(x, 200, axis=0), contrast=0.5)
    # mean 1: 0 and 2 go to 1 ∓ factor, factor from 0.5 to 1.5, and what leaves 0 … 2 is cut
    np.testing.assert_allclose(y[:, 0, 1], 1.0)
    np.testing.assert_allclose(y[:, 1, 0], 2.0 - y[:, 0, 0], atol=1e-6)
    assert 0.5 <= y[:, 1, 0].min() + -1.0 < 0.52 and y.min() == 0 and y.max() == 2
    assert 70 < int((y[:, 0, 0] == 0).sum()) < 130


def test_brightness_moves_all_pixels_alike_and_stays_in_the_range() -> None:
    x = np.repeat(np.array([0.4, 0.6], np.float32).reshape(1, 1, 2, 1), 200, axis=0)
    x[0, 0, :, 0] = [0.0, 1.0]
    y = change(x, brightness=0.2)[1:]
    offsets = y[:, 0, 0, 0] - 0.4
    np.testing.assert_allclose(y[:, 0, 1, 0] - y[:, 0, 0, 0], 0.2, atol=1e-6)
    assert offsets.min() < -0.15 and offsets.max() > 0.15 and np.abs(offsets).max() <= 0.2 + 1e-6
    y = change(x, brightness=1.0)
    assert y.min() >= 0 and y.max() <= 1


def test_noise_has_its_deviation() -> None:
    noise = augmentation.add_noise(np.zeros((100, 50), np.float32), 0.5, seed()).numpy()
    assert abs(noise.std() - 0.5) < 0.02 and abs(noise.mean()) < 0.02


def test_draws_depend_on_seed_epoch_and_step_alone() -> None:
    def draw(**at: int) -> np.ndarray:
        return change(IMAGES, seed(**at), **EVERYTHING)

    np.testing.assert_array_equal(draw(epoch=3, step=5), draw(epoch=3, step=5))
    others = [draw(epoch=3, step=5), draw(epoch=5, step=3), draw(epoch=3), draw(run=1)]
    assert len({other.tobytes() for other in others}) == 4


def test_samples_of_a_batch_are_drawn_by_themselves() -> None:
    _, y = many(**EVERYTHING)
    assert len({image.tobytes() for image in y}) == 400


def test_other_options_leave_a_draw_as_it_was() -> None:
    alone, both = change(IMAGES, shift=1), change(IMAGES, shift=1, contrast=0.0, noise=1.0)
    np.testing.assert_array_equal(alone, both)


class OnDisk:
    """Samples that are read when asked for, and say how many were."""

    def __init__(self, x: np.ndarray) -> None:
        self.x, self.shape, self.dtype, self.read = x, x.shape, x.dtype, 0

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: Any) -> np.ndarray:
        found: np.ndarray = self.x[rows]
        self.read += len(found)
        return found


def test_range_is_per_channel_and_reads_a_bounded_part() -> None:
    x = np.arange(24, dtype=np.float32).reshape(3, 2, 2, 2)
    low, high = value_range(x)
    assert low.tolist() == [0, 1] and high.tolist() == [22, 23]
    many_samples = OnDisk(np.arange(5000, dtype=np.float32).reshape(5000, 1, 1, 1))
    low, high = value_range(many_samples)
    assert (low[0], high[0], many_samples.read) == (0, 4999, augmentation.RANGE_SAMPLES)


@pytest.mark.parametrize(
    ("options", "shape", "dtype", "message"),
    [
        ({"noise": 1.0}, (5,), "int32", "changes numbers, received int32 samples"),
        ({"rotate": 5.0}, (5,), "float32", r"needs images .* of shape \(5,\); only noise"),
        ({"contrast": 0.5}, (5, 5), "float32", "needs images"),
        ({"shift": 5}, (5, 9, 1), "float32", "shift of 5 pixels leaves nothing of images of 5×9"),
        ({"crop": 9}, (9, 9, 1), "float32", "crop of 9 pixels"),
        ({"shift": 0.05}, (8, 8, 1), "float32", "less than half a pixel of images of 8×8"),
    ],
)
def test_what_samples_cannot_take_is_refused(
    options: dict[str, Any], shape: tuple[int, ...], dtype: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        check_augmentation(Augmentation.model_validate(options), shape, np.dtype(dtype))


def test_noise_fits_any_numbers() -> None:
    check_augmentation(Augmentation(noise=0.1), (5,), np.dtype("float32"))
    check_augmentation(Augmentation.model_validate(EVERYTHING), (8, 8, 1), np.dtype("float32"))
