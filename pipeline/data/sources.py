"""Where samples come from: one reader per source, in an explicit table."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.data.arrays import Part, SourceArrays
from pipeline.data.keras_sets import KERAS_SETS, read_keras
from pipeline.data.npz import read_npz
from pipeline.data.python_source import read_function
from pipeline.data.source_files import require_unchanged, row_paths
from pipeline.data.tfds import read_tfds
from pipeline.errors import DataError

if TYPE_CHECKING:
    from pipeline.config.data import DataConfig

DIGITS = tuple(str(digit) for digit in range(10))

Parts = frozenset[str] | None
Reader = Callable[["DataConfig", Parts, str | None], SourceArrays]


def read_digits(config: DataConfig, parts: Parts, expected_sha256: str | None) -> SourceArrays:
    """Reads scikit-learn's bundled digits: 1,797 images (n, 8, 8, 1), values 0..16."""
    table = _digits_table()
    # Whole numbers up to 16: uint8 holds them exactly.
    images = table[:, :-1].astype(np.uint8).reshape(-1, 8, 8, 1)
    labels = table[:, -1].astype(np.int64)
    return SourceArrays("digits", {"all": Part(images, labels)}, DIGITS)


def _digits_table() -> np.ndarray:
    """Returns float64 (1797, 65): 64 pixels and the label.

    The file is read where the package has it, because importing sklearn.datasets takes 3 s
    (scikit-learn 1.9.1); where it is not to be found, load_digits finds it.
    """
    package = importlib.metadata.distribution("scikit-learn")
    file = Path(str(package.locate_file("sklearn/datasets/data/digits.csv.gz")))
    if file.is_file():
        return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return np.column_stack([bunch.data, bunch.target])


def read_own_npz(config: DataConfig, parts: Parts, expected_sha256: str | None) -> SourceArrays:
    """Reads the user's own `.npz` file."""
    return read_npz(_path(config), parts, expected_sha256)


def read_csv(config: DataConfig, parts: Parts, expected_sha256: str | None) -> SourceArrays:
    """Reads tables: all in data.path, or with files of their own for validation and test."""
    from pipeline.data.csv_file import answer_names, read_tables

    files = _row_files(config, parts, expected_sha256)
    found = {part: read_tables(paths, config.csv, config.task) for part, paths in files.items()}
    fitted = next((found[part] for part in ("train", "all") if part in found), None)
    names = None if fitted is None else answer_names(config.csv, config.task, fitted.y)
    return SourceArrays(str(config.path), found, names or None)


def read_text(config: DataConfig, parts: Parts, expected_sha256: str | None) -> SourceArrays:
    """Reads texts: all in data.path, or with files of their own for validation and test."""
    from pipeline.data.text_files import read_texts

    files = _row_files(config, parts, expected_sha256)
    found = {part: read_texts(paths, config.text, config.task) for part, paths in files.items()}
    return SourceArrays(str(config.path), found, None)


def read_images(config: DataConfig, parts: Parts, expected_sha256: str | None) -> SourceArrays:
    """Lists a folder of images; they are decoded when asked for."""
    from pipeline.data.images import read_image_folder

    return read_image_folder(config, _path(config), parts, expected_sha256)


def read_source(
    config: DataConfig, parts: Parts = None, expected_sha256: str | None = None
) -> SourceArrays:
    """Reads the asked parts of a source.

    Args:
        config: the data section.
        parts: parts to read; None for all there are.
        expected_sha256: digest that the source's files must have; None for any.

    Returns:
        The arrays as they are, not yet validated.

    Raises:
        DataError: unknown source, or one that cannot be read.
    """
    if config.source.startswith("python:"):
        source = read_function(config.source, parts)
    elif config.source.startswith("tfds:"):
        source = read_tfds(config.source, config.path, parts)
    elif config.source in KERAS_SETS:
        source = read_keras(config, parts, expected_sha256)
    elif config.source in SOURCES:
        source = SOURCES[config.source](config, parts, expected_sha256)
    else:
        raise DataError(f"data.source {config.source!r}: expected one of {', '.join(SOURCES)}")
    return replace(source, kind=config.sample_kind)


def _row_files(
    config: DataConfig, parts: Parts, expected_sha256: str | None
) -> dict[str, list[Path]]:
    """Returns part → files of the asked parts, once they are known to be those of the plan."""
    _path(config)
    require_unchanged(config, expected_sha256)
    return {
        part: paths for part, paths in row_paths(config).items() if parts is None or part in parts
    }


def _path(config: DataConfig) -> Path:
    if config.path is None:
        raise DataError(f"data.source {config.source}: received no data.path; give the file")
    return config.path


SOURCES: dict[str, Reader] = {
    "digits": read_digits,
    "npz": read_own_npz,
    "csv": read_csv,
    "text": read_text,
    "images": read_images,
}
