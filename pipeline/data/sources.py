"""Where samples come from: one reader per source, in an explicit table."""

from __future__ import annotations

import contextlib
import importlib.metadata
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from pipeline.data.arrays import Part, SourceArrays
from pipeline.data.npz import read_npz
from pipeline.errors import DataError

DIGITS = tuple(str(digit) for digit in range(10))
# https://github.com/zalandoresearch/fashion-mnist, "Labels"
FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
MNIST_SHAPE = (28, 28)

Parts = frozenset[str] | None


def read_digits(path: Path | None, parts: Parts, expected_sha256: str | None) -> SourceArrays:
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


def read_own_npz(path: Path | None, parts: Parts, expected_sha256: str | None) -> SourceArrays:
    """Reads the user's own `.npz` file."""
    if path is None:
        raise DataError("data.source npz: received no data.path; give the .npz file")
    return read_npz(path, parts, expected_sha256)


def read_keras(
    name: str,
    class_names: tuple[str, ...],
    path: Path | None,
    parts: Parts,
    expected_sha256: str | None,
) -> SourceArrays:
    """Reads one of Keras's bundled image sets, from a local file or through keras.datasets.

    Args:
        name: module of keras.datasets.
        class_names: one per class.
        path: local file in the layout of keras.datasets.mnist; None to let Keras download it.
        parts: parts to read; None for all.
        expected_sha256: digest that the local file must have; None for any.

    Returns:
        The parts with images (n, 28, 28, 1).

    Raises:
        DataError: a file of another layout, or no network.
    """
    if path is None:
        source = _download(name, parts)
    else:
        source = read_npz(path, parts, expected_sha256)
        if source.class_names is not None or not source.parts.keys() <= {"train", "test"}:
            raise DataError(
                f"{path}: keras:{name} expects x_train, y_train, x_test, y_test and nothing else; "
                f"use data.source npz for other data"
            )
    images = {part: Part(_with_channel(source, name, part), pair.y)
              for part, pair in source.parts.items()}  # fmt: skip
    return replace(source, parts=images, class_names=class_names)


def _with_channel(source: SourceArrays, name: str, part: str) -> np.ndarray:
    x = source.parts[part].x
    if x.shape[1:] == (*MNIST_SHAPE, 1):
        return x
    if x.shape[1:] != MNIST_SHAPE:
        raise DataError(
            f"{source.origin}: {part} images have shape {x.shape}; keras:{name} expects "
            f"(n, 28, 28); use data.source npz for other data"
        )
    return x[..., np.newaxis]


def _download(name: str, parts: Parts) -> SourceArrays:
    from pipeline.runtime import import_tensorflow

    import_tensorflow()
    import keras

    try:
        # Keras draws its download bar on stdout, which belongs to the caller's output.
        with contextlib.redirect_stdout(sys.stderr):
            train, test = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras wraps network failures in bare Exception
        reason = " ".join(str(error).split())
        raise DataError(
            f"data.source keras:{name}: could not be downloaded ({reason}); give data.path, a "
            f"local .npz with x_train, y_train, x_test, y_test"
        ) from error
    arrays = {"train": Part(*train), "test": Part(*test)}
    return SourceArrays(
        f"keras:{name}",
        {part: arrays[part] for part in arrays if parts is None or part in parts},
        None,
    )


SOURCES: dict[str, Callable[[Path | None, Parts, str | None], SourceArrays]] = {
    "digits": read_digits,
    "npz": read_own_npz,
    "keras:mnist": partial(read_keras, "mnist", DIGITS),
    "keras:fashion_mnist": partial(read_keras, "fashion_mnist", FASHION),
}


def read_source(
    source: str, path: Path | None, parts: Parts = None, expected_sha256: str | None = None
) -> SourceArrays:
    """Reads the asked parts of a source.

    Args:
        source: a key of SOURCES.
        path: the local file, where the source has one.
        parts: parts to read; None for all there are.
        expected_sha256: digest that the local file must have; None for any.

    Returns:
        The arrays as they are, not yet validated.

    Raises:
        DataError: unknown source, or one that cannot be read.
    """
    if source not in SOURCES:
        raise DataError(f"data.source {source!r}: expected one of {', '.join(SOURCES)}")
    return SOURCES[source](path, parts, expected_sha256)
