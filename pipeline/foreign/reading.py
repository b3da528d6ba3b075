"""Has a model file from outside read by a limited child process; nothing of it is opened here."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.child_process import child_environment
from pipeline.errors import ArtifactError, UntrustedModelError
from pipeline.foreign.bounded_json import parse_json
from pipeline.foreign.limits import MAX_FILE_BYTES, READER_SECONDS
from pipeline.foreign.read_child import ARRAYS, INDEX

_CHILD_MODULE = "pipeline.foreign.read_child"
_DTYPES = frozenset(
    {"<f2", "<f4", "<f8", "|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8"}
)


@dataclass(frozen=True)
class FileContents:
    """What the child took out of a file; checked for structure, not yet for what it means.

    Attributes:
        path: the file, for messages.
        format: "keras" or "h5".
        keras_version: as the file states it; "" where it does not.
        config: the model's config.
        training_config: of an `.h5` file; None where there is none.
        arrays: path inside the file → values.
        weight_names: `.h5`: layer → its arrays' names, in order.
        layer_names: `.keras`: path of a group of variables → the layer's name.
    """

    path: Path
    format: str
    keras_version: str
    config: Any
    training_config: Any = None
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    weight_names: dict[str, list[str]] = field(default_factory=dict)
    layer_names: dict[str, str] = field(default_factory=dict)


def read_outside(path: Path) -> FileContents:
    """Reads a model file in a child process.

    Args:
        path: a `.keras` or whole-model `.h5` file.

    Returns:
        Its config and arrays.

    Raises:
        ArtifactError: there is no such file.
        UntrustedModelError: it is not plainly a model file, or passed a limit.
    """
    if path.is_dir():
        raise UntrustedModelError(
            f"{path}: a folder (SavedModel?), expected a .keras or .h5 file; save the model with "
            "model.save('model.keras')"
        )
    if not path.is_file():
        raise ArtifactError(f"{path}: there is no such file; check model.path")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise UntrustedModelError(
            f"{path}: {path.stat().st_size:,} bytes, expected at most {MAX_FILE_BYTES:,}"
        )
    with tempfile.TemporaryDirectory(prefix="slimline-read-") as name:
        _run_child(path, Path(name))
        return collect(path, Path(name))


def _run_child(path: Path, folder: Path) -> None:
    # An HDF5 plugin is a library that the file could ask for by number.
    environment = child_environment(HDF5_PLUGIN_PRELOAD="::", HDF5_USE_FILE_LOCKING="FALSE")
    try:
        done = subprocess.run(
            # -P: the folder the user stands in is no place to import from.
            [sys.executable, "-P", "-m", _CHILD_MODULE, str(path.resolve()), str(folder)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=READER_SECONDS,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise UntrustedModelError(
            f"{path}: reading it took longer than {READER_SECONDS:g} s, so it was stopped"
        ) from error
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise UntrustedModelError(
            f"{path}: reading it ended with exit code {done.returncode}; the file is damaged, or "
            "needs more memory than a model of its size: save the model again"
        ) from None
    if "error" in answer:
        raise UntrustedModelError(str(answer["error"]).replace(str(path.resolve()), str(path)))


def collect(path: Path, folder: Path) -> FileContents:
    """Takes what the child wrote; trusted no more than the file.

    Args:
        path: the model file, for messages.
        folder: with the index and the arrays.

    Returns:
        The contents.

    Raises:
        UntrustedModelError: JSON beyond its limits, or arrays of values that are not finite.
    """
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    config = parse_json(index["config"], f"{path}: its model config")
    training = index.get("training_config")
    version = index.get("keras_version")
    if index["format"] == "keras":
        metadata = parse_json(index["metadata"], f"{path}: its metadata")
        version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    return FileContents(
        path=path,
        format=index["format"],
        keras_version=version if isinstance(version, str) else "",
        config=config,
        training_config=training and parse_json(training, f"{path}: its training config"),
        arrays=_load_arrays(path, index["arrays"], folder / ARRAYS),
        weight_names=index.get("weight_names", {}),
        layer_names=index.get("layer_names", {}),
    )


def _load_arrays(path: Path, listed: list[dict[str, Any]], stored: Path) -> dict[str, np.ndarray]:
    size = stored.stat().st_size
    arrays: dict[str, np.ndarray] = {}
    for entry in listed:
        if entry["dtype"] not in _DTYPES:
            raise UntrustedModelError(f"{path}: '{entry['name']}' has dtype {entry['dtype']}")
        dtype, shape = np.dtype(entry["dtype"]), tuple(int(n) for n in entry["shape"])
        count = math.prod(shape)
        if min((0, *shape)) < 0 or entry["offset"] + count * dtype.itemsize > size:
            raise UntrustedModelError(f"{path}: '{entry['name']}' is not there in full")
        values = np.fromfile(stored, dtype, count, offset=entry["offset"]).reshape(shape)
        if dtype.kind == "f" and not np.isfinite(values).all():
            raise UntrustedModelError(
                f"{path}: '{entry['name']}' holds values that are not finite numbers; train the "
                "model again, or use another file"
            )
        arrays[entry["name"]] = values
    return arrays
