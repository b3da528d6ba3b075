"""Keras's bundled sets, from a local file as Keras keeps it, or through keras.datasets."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.data import keras_names as names
from pipeline.data.arrays import Part, SourceArrays
from pipeline.data.keras_files import read_cifar, read_pooled, read_split
from pipeline.data.keras_texts import encode_sequences
from pipeline.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.config.data import DataConfig

Parts = frozenset[str] | None


@dataclass(frozen=True)
class KerasSet:
    """A row of the table.

    Attributes:
        read: of a local file: (path, name, parts, expected digest, labels) → its parts.
        shape: of a sample as the file has it; () where lengths differ.
        class_names: in the order of the labels; None for numbers.
        layout: of the local file, for messages.
    """

    read: Callable[[Path, str, Parts, str | None, str], SourceArrays]
    shape: tuple[int, ...]
    class_names: tuple[str, ...] | None
    layout: str = ".npz with x_train, y_train, x_test, y_test"


_POOLED = ".npz with x and y"
_CIFAR = ".tar.gz in its Python version, or .npz with x_train, y_train, x_test, y_test"
KERAS_SETS: dict[str, KerasSet] = {
    "keras:mnist": KerasSet(read_split, (28, 28), names.DIGITS),
    "keras:fashion_mnist": KerasSet(read_split, (28, 28), names.FASHION),
    "keras:cifar10": KerasSet(read_cifar, (32, 32, 3), names.CIFAR_10, _CIFAR),
    "keras:cifar100": KerasSet(read_cifar, (32, 32, 3), names.CIFAR_100, _CIFAR),
    "keras:boston_housing": KerasSet(read_pooled, (13,), None, _POOLED),
    "keras:california_housing": KerasSet(read_pooled, (8,), None, _POOLED),
    "keras:imdb": KerasSet(read_split, (), names.SENTIMENT),
    "keras:reuters": KerasSet(read_pooled, (), names.REUTERS, _POOLED),
}


def read_keras(config: DataConfig, parts: Parts, expected_sha256: str | None) -> SourceArrays:
    """Reads one of Keras's bundled sets.

    Args:
        config: the data section; path is the local file, None to let Keras download it.
        parts: parts to read ("train", "test"); None for both.
        expected_sha256: digest that the local file must have; None for any.

    Returns:
        Images (n, height, width, channels), rows of numbers (n, features) or token ids (n, length).

    Raises:
        DataError: a file of another layout, or no network.
    """
    row = KERAS_SETS[config.source]
    if config.path is None:
        source = _download(config, row, parts)
    else:
        labels = config.keras.labels
        source = row.read(config.path, config.source, parts, expected_sha256, labels)
    coarse = config.source == "keras:cifar100" and config.keras.labels == "coarse"
    found = {part: _as_samples(config, row, source, part) for part in source.parts}
    return replace(source, parts=found, class_names=names.CIFAR_20 if coarse else row.class_names)


def _as_samples(config: DataConfig, row: KerasSet, source: SourceArrays, part: str) -> Part:
    x, y = source.parts[part].x, source.parts[part].y
    if row.shape == ():
        options = config.keras
        encoded = encode_sequences(
            x, options.max_tokens, options.sequence_length, options.padding, source.origin
        )
        return Part(encoded, y)
    if x.shape[1:] not in (row.shape, (*row.shape, 1)):
        expected = ", ".join(str(size) for size in row.shape)
        raise DataError(
            f"{source.origin}: {part} samples have shape {x.shape}; {config.source} expects "
            f"(n, {expected}); use data.source npz for other data"
        )
    if len(row.shape) == 1:
        return Part(x, y)
    return Part(_pad(x.reshape(*x.shape[:3], -1), config.keras.size), y)


def _pad(images: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    """Puts images (n, height, width, channels) in the middle of zeros of [height, width]."""
    if size is None:
        return images
    missing = [whole - own for whole, own in zip(size, images.shape[1:3], strict=True)]
    around = [(gap // 2, gap - gap // 2) for gap in missing]
    return np.pad(images, [(0, 0), *around, (0, 0)])


def _download(config: DataConfig, row: KerasSet, parts: Parts) -> SourceArrays:
    from pipeline.runtime import import_tensorflow

    import_tensorflow()
    import keras

    name = config.source.removeprefix("keras:")
    options: dict[str, Any] = {}
    if name == "cifar100":
        options = {"label_mode": config.keras.labels}
    elif row.shape == ():
        # Without num_words, Keras 3.15.1 takes the largest rank for it and drops that word.
        options = {"start_char": None, "oov_char": None, "index_from": 0, "num_words": 2**31}
    try:
        # Keras draws its download bar on stdout, which belongs to the caller's output.
        with contextlib.redirect_stdout(sys.stderr):
            train, test = getattr(keras.datasets, name).load_data(**options)
    except Exception as error:  # Keras wraps network failures in bare Exception
        reason = " ".join(str(error).split())
        raise DataError(
            f"data.source {config.source}: could not be downloaded ({reason}); give data.path, a "
            f"local {row.layout}"
        ) from error
    arrays = {"train": Part(*train), "test": Part(*test)}
    found = {part: arrays[part] for part in arrays if parts is None or part in parts}
    return SourceArrays(config.source, found, None)
