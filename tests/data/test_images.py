from __future__ import annotations

import threading
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.data import DataConfig
from pipeline.data import images
from pipeline.data.fingerprint import describe_source
from pipeline.data.images import ScaledImages, row_numbers
from pipeline.data.prepare import load_data, prepare_data, save_preparation
from pipeline.data.prepared import SPLITS, PreparedData
from pipeline.data.preprocessing import Affine
from pipeline.errors import DataError
from tests.data.image_files import random_images, write_image


def config(path: Path, **more: Any) -> DataConfig:
    more = {"validation_fraction": 0.25, "test_fraction": 0.25, **more}
    return DataConfig(source="images", path=path, **more)


def prepare_and_load(data: DataConfig, folder: Path) -> PreparedData:
    save_preparation(prepare_data(data, seed=0), folder)
    return load_data(data, folder, SPLITS)


def read(path: Path, **options: Any) -> np.ndarray:
    """Pixels of all images of a folder, in order, as they are decoded."""
    data = config(path, images=options)
    return images.read_image_folder(data, path, None, None).parts["all"].x[:]


def test_pixels_are_those_of_the_files(tmp_path: Path) -> None:
    random_images(tmp_path / "in")
    data = prepare_and_load(config(tmp_path / "in"), tmp_path / "out")
    assert data.task.class_names == ("cat", "dog") and data.input_shape == (8, 6, 3)
    assert data.encoding == {"kind": "images", "size": [8, 6], "channels": 3, "resize": "stretch"}
    assert data.preprocessing == Affine(1 / 255, 0.0)
    rng = np.random.default_rng(0)
    drawn = np.stack([rng.integers(0, 256, (8, 6, 3)) for _ in range(8)])
    by_class = {label: drawn[4 * label : 4 * label + 4] for label in (0, 1)}
    for split in data.splits.values():
        x = np.rint(split.x[:] * 255)
        for pixels, label in zip(x, split.y, strict=True):
            assert (by_class[int(label)] == pixels).all(axis=(1, 2, 3)).sum() == 1
    assert [len(data.splits[name]) for name in SPLITS] == [4, 2, 2]


def test_rows_are_taken_by_slice_and_by_index(tmp_path: Path) -> None:
    x = prepare_and_load(config(random_images(tmp_path / "in")), tmp_path / "out").train.x
    whole = x[:]
    assert whole.shape == x.shape == (4, 8, 6, 3) and whole.dtype == x.dtype == np.float32
    np.testing.assert_array_equal(x[1:3], whole[1:3])
    np.testing.assert_array_equal(x[np.array([3, 0, 3])], whole[[3, 0, 3]])
    assert x[np.array([], np.int64)].shape == (0, 8, 6, 3)
    assert row_numbers(slice(None, None, 2), 5).tolist() == [0, 2, 4]


def test_split_folders_are_kept(tmp_path: Path) -> None:
    for split in ("train", "validation", "test"):
        random_images(tmp_path / "in" / split, count=2)
    data = prepare_and_load(config(tmp_path / "in"), tmp_path / "out")
    assert [len(data.splits[name]) for name in SPLITS] == [4, 4, 4]
    assert prepare_data(config(tmp_path / "in"), 0).duplicates["train/test"] == 4


def test_standardize_streams(tmp_path: Path) -> None:
    data = config(random_images(tmp_path / "in"), preprocessing={"kind": "standardize"})
    mapped = prepare_and_load(data, tmp_path / "out").train.x[:].astype(np.float64)
    np.testing.assert_allclose(mapped.mean(axis=(0, 1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(mapped.std(axis=(0, 1, 2)), 1, rtol=1e-6)


def test_reconstruction_takes_images_without_classes(tmp_path: Path) -> None:
    random_images(tmp_path / "in")
    write_image(tmp_path / "in" / "one.png", np.zeros((8, 6, 3)))
    data = prepare_and_load(config(tmp_path / "in", task="reconstruction"), tmp_path / "out")
    assert data.train.y is data.train.x and data.task.outputs == 8 * 6 * 3


def test_model_placement_gives_raw_pixels(tmp_path: Path) -> None:
    data = config(random_images(tmp_path / "in"), preprocessing={"placement": "model"})
    x = prepare_and_load(data, tmp_path / "out").train.x[:]
    assert x.dtype == np.float32 and x.max() > 200 and (x == np.rint(x)).all()


def test_grayscale_is_one_channel(tmp_path: Path) -> None:
    write_image(tmp_path / "a/1.png", np.full((4, 4, 3), (255, 0, 0)))
    # ITU-R 601-2: L = 299/1000 R + 587/1000 G + 114/1000 B
    assert read(tmp_path, color="grayscale").tolist() == np.full((1, 4, 4, 1), 76).tolist()


@pytest.mark.parametrize(
    ("resize", "expected"),
    [
        ("stretch", [0, 0, 200, 200]),  # each pair of columns becomes one
        ("crop", [0, 0, 200, 200]),  # the middle four of eight columns
        ("pad", [0, 0, 0, 0]),  # first row: black above the halved picture
    ],
)
def test_resize_by_hand(tmp_path: Path, resize: str, expected: list[int]) -> None:
    pixels = np.zeros((4, 8), np.uint8)
    pixels[:, 4:] = 200
    write_image(tmp_path / "a/1.png", pixels)
    found = read(tmp_path, size=(4, 4), color="grayscale", resize=resize)[0, ..., 0]
    if resize == "stretch":  # the two columns beside the edge are mixed by the filter
        assert found[0, [0, 3]].tolist() == [0, 200]
    else:
        assert found[0].tolist() == expected
    assert found.shape == (4, 4)


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "gif", "webp"])
def test_every_format_is_decoded(tmp_path: Path, ending: str) -> None:
    write_image(tmp_path / f"a/1.{ending}", np.full((5, 4), 128))
    assert np.abs(read(tmp_path, color="grayscale").astype(int) - 128).max() <= 2


def test_first_frame_of_an_animation(tmp_path: Path) -> None:
    from PIL import Image

    frames = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in (10, 250)]
    (tmp_path / "a").mkdir()
    frames[0].save(tmp_path / "a/1.gif", save_all=True, append_images=frames[1:])
    assert read(tmp_path, color="grayscale").max() == 10


def test_photographs_are_turned_upright(tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[images.ORIENTATION] = 6  # turn by 90° clockwise
    pixels = np.zeros((4, 8), np.uint8)
    pixels[:, :4] = 255
    write_image(tmp_path / "a/1.jpg", pixels, exif=exif, quality=95)
    found = read(tmp_path, color="grayscale")[0, ..., 0]
    assert found.shape == (8, 4)
    assert found[:3].min() > 200 and found[5:].max() < 50


def test_transparent_palette_is_read_quietly(tmp_path: Path) -> None:
    from PIL import Image

    image = Image.fromarray(np.full((4, 4), 3, np.uint8)).convert("P")
    (tmp_path / "a").mkdir()
    image.save(tmp_path / "a/1.png", transparency=bytes([0, 255, 255, 128]))
    assert read(tmp_path).shape == (1, 4, 4, 3)


def test_several_sizes_need_one(tmp_path: Path) -> None:
    write_image(tmp_path / "a/1.png", np.zeros((4, 4)))
    write_image(tmp_path / "b/1.png", np.zeros((4, 5)))
    with pytest.raises(DataError, match=r"b/1\.png: has 4 × 5 pixels .*give data\.images\.size"):
        prepare_data(config(tmp_path), 0)
    assert read(tmp_path, size=(3, 3)).shape == (2, 3, 3, 3)


@pytest.mark.parametrize("keep", [0, 30, 0.5, 0.9])
def test_broken_image_is_named(tmp_path: Path, keep: float) -> None:
    root = random_images(tmp_path / "in")
    path = root / "dog" / "002.png"
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    with pytest.raises(DataError, match=r"dog/002\.png: not an? (whole )?image") as error:
        prepare_data(config(root), 0)
    assert "\n" not in str(error.value)


def test_other_formats_under_a_known_ending_are_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "a/1.tif", np.zeros((4, 4))).rename(tmp_path / "a/1.png")
    with pytest.raises(DataError, match=r"a/1\.png: not an image"):
        prepare_data(config(tmp_path), 0)


def test_sixteen_bits_are_refused(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "a").mkdir()
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(tmp_path / "a/1.png")
    with pytest.raises(DataError, match=r"a/1\.png: .*mode I;16, expected 8 bits per channel"):
        read(tmp_path)


def test_image_that_claims_absurd_size_is_refused(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "a").mkdir()
    Image.new("1", (20_000, 6_000)).save(tmp_path / "a/1.png")
    with pytest.raises(DataError, match=r"a/1\.png: .*20000 x 6000 pixels"):
        read(tmp_path, size=(8, 8))


def test_image_that_changed_after_it_was_prepared_is_named(tmp_path: Path) -> None:
    root = random_images(tmp_path / "in")
    data = prepare_and_load(config(root), tmp_path / "out")
    for name in ("cat", "dog"):
        write_image(root / name / "000.png", np.zeros((8, 6, 3)))
    with pytest.raises(DataError, match=r"000\.png: changed after it was prepared"):
        for split in data.splits.values():
            split.x[:]


def test_image_that_is_gone_is_named(tmp_path: Path) -> None:
    root = random_images(tmp_path / "in")
    data = prepare_and_load(config(root), tmp_path / "out")
    (root / "dog/001.png").unlink()
    with pytest.raises(DataError, match=r"dog/001\.png: No such file or directory"):
        for split in data.splits.values():
            split.x[:]


def test_folder_changed_since_the_plan_is_refused(tmp_path: Path) -> None:
    data = config(random_images(tmp_path / "in"))
    planned = describe_source(data, tmp_path / "cache.json")
    assert prepare_data(data, 0, planned).digest == prepare_data(data, 0).digest
    write_image(tmp_path / "in" / "cat" / "new.png", np.zeros((8, 6, 3)))
    with pytest.raises(DataError, match="changed after the run was planned"):
        prepare_data(data, 0, planned)


def test_digest_follows_pixels_and_options_not_the_place(tmp_path: Path) -> None:
    first, other = (config(random_images(tmp_path / name)) for name in ("a", "b"))
    assert prepare_data(first, 0).digest == prepare_data(other, 0).digest
    small = config(tmp_path / "a", images={"size": (4, 4)})
    assert prepare_data(small, 0).digest != prepare_data(first, 0).digest


def test_a_folder_beyond_the_budget_is_never_held_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "in"
    for name in ("cat", "dog"):
        for index in range(40):
            write_image(root / name / f"{index}.png", np.full((128, 128, 3), index * 6 + 1))
    chunk, whole = 5 * 128 * 128 * 3, 80 * 128 * 128 * 3
    monkeypatch.setattr("pipeline.data.arrays.CHUNK_VALUES", chunk)
    data = config(root, images={"cache_mb": 1}, preprocessing={"kind": "standardize"})
    tracemalloc.start()
    try:
        loaded = prepare_and_load(data, tmp_path / "out")
        for start in range(0, len(loaded.train), 4):
            loaded.train.x[start : start + 4]
        left, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A chunk as float64, less its mean, squared: 2 MB each. All images would be 31 MB.
    assert most < 4 * 8 * chunk < 8 * whole / 3
    assert left < whole / 3  # not even the pixels as bytes, 3.9 MB, stay


def test_images_that_fit_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, decoded = random_images(tmp_path / "in"), []
    original = images.decode_image
    monkeypatch.setattr(
        images, "decode_image", lambda *given: decoded.append(1) or original(*given)
    )
    for cache_mb, expected in ((512, 8), (0, 16)):
        data = config(root, images={"cache_mb": cache_mb})
        x = images.read_image_folder(data, root, None, None).parts["all"].x
        decoded.clear()
        np.testing.assert_array_equal(x[:], x[:])
        assert len(decoded) == expected


def test_threads_get_the_rows_they_asked_for(tmp_path: Path) -> None:
    root = random_images(tmp_path / "in", count=8)
    data = config(root, images={"cache_mb": 0})
    base = images.read_image_folder(data, root, None, None).parts["all"].x
    x = ScaledImages(base, np.arange(16), Affine(1 / 255, 0.0))
    whole, wrong = x[:], []

    def check(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(10):
            rows = rng.integers(0, 16, 5)
            if not np.array_equal(x[rows], whole[rows]):
                wrong.append(rows)

    threads = [threading.Thread(target=check, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
