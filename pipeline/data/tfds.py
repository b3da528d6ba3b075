"""`tfds:NAME`: sets of TensorFlow Datasets, an optional extra (`slimline[tfds]`)."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import DataError

if TYPE_CHECKING:
    from pipeline.data.arrays import Part, SourceArrays

PACKAGE = "tensorflow-datasets"
MODULE = "tensorflow_datasets"
SPLITS = ("train", "validation", "test")
INSTALL = "install it: pip install 'slimline[tfds]'"


def describe_tfds(source: str) -> dict[str, Any]:
    """Describes a set by name and package version: the package fixes the version of each set.

    Args:
        source: "tfds:name".

    Returns:
        {"package", "version"}.

    Raises:
        DataError: the package is not installed.
    """
    _require_package(source)
    try:
        version = importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        raise _missing(source) from error
    return {"package": PACKAGE, "version": version}


def read_tfds(
    source: str, directory: Path | None, parts: frozenset[str] | None = None
) -> SourceArrays:
    """Reads a set into memory.

    Args:
        source: "tfds:name", with a configuration and a version if wanted.
        directory: where TensorFlow Datasets keeps its files; None for its own default.
        parts: parts to read; None for all of train, validation and test that the set has.

    Returns:
        Samples and labels of its (input, target) pairs, and the names of its classes.

    Raises:
        DataError: the package is missing, the set is unknown or cannot be downloaded, or it has
            no arrays of one shape.
    """
    from pipeline.data.arrays import SourceArrays

    _require_package(source)
    from pipeline.runtime import import_tensorflow

    import_tensorflow()
    import tensorflow_datasets as tfds

    name = source.removeprefix("tfds:")
    where = None if directory is None else str(directory)
    try:
        # TensorFlow Datasets tells of its downloads on stdout, which belongs to the output.
        with contextlib.redirect_stdout(sys.stderr):
            builder = tfds.builder(name, data_dir=where)
            builder.download_and_prepare()
        info = builder.info
        present = [split for split in SPLITS if split in info.splits]
        wanted = [split for split in present if parts is None or split in parts]
        pairs = {
            split: tfds.as_numpy(builder.as_dataset(split=split, as_supervised=True, batch_size=-1))
            for split in wanted
        }
    except Exception as error:  # its own errors share no base, and downloads raise many kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        reason = reason.partition(" Available datasets:")[0][:300]
        raise DataError(
            f"data.source {source}: cannot be read ({reason}); expected a set with (input, target) "
            f"pairs of one shape, on disk or to be downloaded"
        ) from error
    if "train" not in present:
        raise DataError(f"data.source {source}: has no train split; has {', '.join(info.splits)}")
    found = {split: _part(source, pair) for split, pair in pairs.items()}
    return SourceArrays(source, found, _class_names(info))


def _part(source: str, pair: Any) -> Part:
    import numpy as np

    from pipeline.data.arrays import Part

    x, y = pair if isinstance(pair, tuple) and len(pair) == 2 else (pair, None)
    if not isinstance(x, np.ndarray) or not isinstance(y, np.ndarray):
        raise DataError(
            f"data.source {source}: samples are {type(x).__name__}, labels {type(y).__name__}; "
            f"expected arrays of one shape; read it with a function of your own (python:)"
        )
    return Part(x, y)


def _class_names(info: Any) -> tuple[str, ...] | None:
    keys = info.supervised_keys
    target = keys[1] if keys and len(keys) == 2 else None
    # Its FeaturesDict (4.9.9) is no mapping: it has no get.
    if not isinstance(target, str) or target not in info.features:
        return None
    names = getattr(info.features[target], "names", None)
    return tuple(names) if names else None


def _require_package(source: str) -> None:
    if importlib.util.find_spec(MODULE) is None:
        raise _missing(source)


def _missing(source: str) -> DataError:
    return DataError(f"data.source {source}: the package {PACKAGE} is not installed; {INSTALL}")
