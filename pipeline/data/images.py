"""Images of a folder as samples: on disk until asked for, decoded a batch at a time."""

from __future__ import annotations

import hashlib
import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.artifacts.files import sha256_json
from pipeline.data.arrays import Part, SourceArrays
from pipeline.data.image_folder import list_images
from pipeline.data.raw_input import decode_image
from pipeline.data.source_files import digest_files
from pipeline.errors import DataError
from pipeline.tasks.task import TASKS

if TYPE_CHECKING:
    from pipeline.config.data import DataConfig
    from pipeline.data.preparation import FileList
    from pipeline.data.preprocessing import Affine

THREADS = min(os.cpu_count() or 1, 8)
ORIENTATION = 0x0112  # Exif: 5 to 8 lie on their side


class ImageFiles:
    """Images as uint8 samples (see data.samples.Samples); taking rows is safe from any thread.

    A file is compared with its digest whenever it is read, so that what is trained on is what was
    prepared.
    """

    def __init__(
        self, root: Path, files: FileList, encoding: dict[str, Any], keep: bool = False
    ) -> None:
        """Describes the images; none is read.

        Args:
            root: the folder that names are relative to.
            files: names and SHA-256 of the files.
            encoding: {"kind": "images", "size": [height, width], "channels", "resize"}.
            keep: True to keep decoded images in memory.
        """
        self.root, self.encoding = root, encoding
        self.names, self.digests = files
        self.shape = (len(self.names), *encoding["size"], encoding["channels"])
        self.dtype = np.dtype(np.uint8)
        self._kept: dict[int, np.ndarray] | None = {} if keep else None
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="decode")

    def __len__(self) -> int:
        """Returns the number of images."""
        return len(self.names)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Decodes uint8 (b, height, width, channels).

        Raises:
            DataError: a file is gone, broken, or not what was prepared.
        """
        chosen = row_numbers(rows, len(self))
        if len(chosen) == 0:
            return np.empty((0, *self.shape[1:]), np.uint8)
        # Handing a row to a thread costs more than taking it from memory.
        held = self._kept is not None and len(self._kept) == len(self)
        take = map if held else self._pool.map
        return np.stack(list(take(self._image, chosen.tolist())))

    def digest(self) -> str:
        """Returns the hex SHA-256 over names, contents and encoding."""
        return sha256_json([self.names, self.digests, self.encoding])

    def to_json(self) -> dict[str, Any]:
        """Returns the encoding as the sidecar carries it."""
        return self.encoding

    def _image(self, row: int) -> np.ndarray:
        if self._kept is not None and row in self._kept:
            return self._kept[row]
        path = self.root / self.names[row]
        content = _read(path)
        if hashlib.sha256(content).hexdigest() != self.digests[row]:
            raise DataError(
                f"{path}: changed after it was prepared; run the whole chain again, or put the "
                f"old file back"
            )
        try:
            image = decode_image(io.BytesIO(content), self.encoding)
        except ValueError as error:
            reason = str(error).removeprefix("image: ")
            raise DataError(f"{path}: {reason}; mend it, or take it out") from error
        if self._kept is not None:
            self._kept[row] = image
        return image


class ScaledImages:
    """Chosen images as the model takes them: float32, mapped by the preprocessing."""

    def __init__(self, images: Any, indices: np.ndarray, affine: Affine | None) -> None:
        """Describes the samples; none is read.

        Args:
            images: uint8 samples, as ImageFiles.
            indices: int64 (n,), rows of `images`.
            affine: the map; None where the model has it.
        """
        self._images, self._indices, self._affine = images, indices, affine
        self.shape = (len(indices), *images.shape[1:])
        self.dtype = np.dtype(np.float32)

    def __len__(self) -> int:
        """Returns the number of samples."""
        return len(self._indices)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Decodes float32 (b, height, width, channels); safe from any thread.

        Raises:
            DataError: a file is gone, broken, or not what was prepared.
        """
        pixels = self._images[self._indices[rows]]
        return pixels.astype(np.float32) if self._affine is None else self._affine.apply(pixels)


def read_image_folder(
    config: DataConfig, root: Path, parts: frozenset[str] | None, expected_sha256: str | None
) -> SourceArrays:
    """Lists and digests a folder of images; pixels are decoded when they are asked for.

    Args:
        config: the data section.
        root: the folder.
        parts: parts to list; None for all.
        expected_sha256: digest over all files; None for any.

    Returns:
        Samples of uint8, and names of classes as labels (None without labels).

    Raises:
        DataError: a file that does not belong there, or images of several sizes when
            data.images.size is not given.
    """
    folder = list_images(root, labelled=TASKS[config.task].has_answers)
    with ThreadPoolExecutor(THREADS) as pool:
        contents = pool.map(lambda name: _digest(root / name), folder.files)
        digests = dict(zip(folder.files, contents, strict=True))
        if expected_sha256 is not None and digest_files(digests.items()) != expected_sha256:
            raise DataError(f"{root}: changed after the run was planned; run the command again")
        size = config.images.size
        if size is None:
            sizes = pool.map(lambda name: _size(root / name), folder.files)
            size = _common_size(root, folder.files, list(sizes))
    encoding = {
        "kind": "images",
        "size": list(size),
        "channels": 3 if config.images.color == "rgb" else 1,
        "resize": config.images.resize,
    }
    files = {
        part: (names, tuple(digests[name] for name in names))
        for part, names in folder.parts.items()
        if parts is None or part in parts
    }
    source = open_images(config, files, encoding)
    return SourceArrays(source.origin, source.parts, folder.class_names or None, "images")


def open_images(
    config: DataConfig, files: dict[str, FileList], encoding: dict[str, Any]
) -> SourceArrays:
    """Makes samples of files that are known; nothing is read.

    Args:
        config: the data section: the folder, and the memory that decoded images may take.
        files: part → names and SHA-256.
        encoding: of the preparation.
    """
    root = config.path
    if root is None:
        raise DataError("data.source images: received no data.path; give the folder")
    height, width = encoding["size"]
    count = sum(len(names) for names, _ in files.values())
    keep = count * height * width * encoding["channels"] <= config.images.cache_mb * 10**6
    labelled = TASKS[config.task].has_answers
    parts = {
        part: Part(
            ImageFiles(root, listed, encoding, keep),
            np.array([name.split("/")[-2] for name in listed[0]], object) if labelled else None,
        )
        for part, listed in files.items()
    }
    return SourceArrays(str(root), parts, None, "images")


def row_numbers(rows: slice | np.ndarray, n: int) -> np.ndarray:
    """Returns int64 (b,), the rows below n that a slice or an index array means."""
    if isinstance(rows, slice):
        return np.arange(*rows.indices(n))
    return np.asarray(rows, np.int64)


def _common_size(
    root: Path, names: tuple[str, ...], sizes: list[tuple[int, int]]
) -> tuple[int, int]:
    for name, size in zip(names, sizes, strict=True):
        if size != sizes[0]:
            raise DataError(
                f"{root / name}: has {size[0]} × {size[1]} pixels (height × width), {names[0]} "
                f"{sizes[0][0]} × {sizes[0][1]}; give data.images.size: [height, width]"
            )
    return sizes[0]


def _size(path: Path) -> tuple[int, int]:
    """Returns (height, width) of an upright image from its first bytes."""
    from PIL import Image

    from pipeline.data.raw_input import IMAGE_FORMATS

    try:
        with Image.open(path, formats=IMAGE_FORMATS) as image:
            width, height = image.size
            lying = image.getexif().get(ORIENTATION, 1) >= 5
    except Exception as error:  # Pillow has an error of its own kind for every broken format
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: not an image: {reason}; mend it, or take it out") from error
    return (width, height) if lying else (height, width)


def _digest(path: Path) -> str:
    return hashlib.sha256(_read(path)).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{path}: {reason}; expected a readable image") from error
