"""The child process that alone opens a model file from outside: JSON and arrays come back.

Run as `python -P -m pipeline.foreign.read_child FILE FOLDER`. It imports the standard library,
NumPy and h5py, no Keras. Into FOLDER it writes index.json (see `pipeline.foreign.reading`) and
arrays.bin; to stdout one line: {} or {"error": …}.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.errors import UntrustedModelError
from pipeline.foreign.archive import WEIGHTS, unpack
from pipeline.foreign.hdf5_structure import list_arrays
from pipeline.foreign.limits import (
    MAX_CONFIG_BYTES,
    MAX_FILE_BYTES,
    READER_CPU_SECONDS,
    READER_MEMORY_BYTES,
)
from pipeline.models.hdf5_members import DAMAGED, read_names, read_text

ZIP_START, HDF5_START = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
INDEX, ARRAYS = "index.json", "arrays.bin"
# What belongs to training and not to the model: checked like the rest, not read.
TRAINING_GROUPS = frozenset({
    "optimizer", "optimizer_weights", "metrics", "_metrics", "compile_metrics", "_compile_metrics",
    "compiled_metrics", "compile_loss", "_compile_loss", "compiled_loss", "loss_tracker",
    "_loss_tracker", "train_state", "_optimizer",
})  # fmt: skip


def read_file(path: Path, folder: Path) -> None:
    """Reads a model file into a folder.

    Args:
        path: the file, of either format, told by its content.
        folder: receives INDEX and ARRAYS.

    Raises:
        UntrustedModelError: not what it says, or not plainly a model.
    """
    with open(path, "rb") as file:
        start = file.read(8)
    if start[:4] == ZIP_START:
        config, metadata = unpack(path, folder)
        index: dict[str, Any] = {"format": "keras", "config": config, "metadata": metadata}
        weights = folder / WEIGHTS
    elif start == HDF5_START:
        index, weights = {"format": "h5"}, path
    else:
        raise UntrustedModelError(
            f"{path}: received a file that begins with {start!r}, expected a .keras or a "
            "whole-model .h5 file; save the model with model.save('model.keras')"
        )
    _read_hdf5(path, weights, index, folder)
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")


def _read_hdf5(path: Path, weights: Path, index: dict[str, Any], folder: Path) -> None:
    import h5py

    try:
        with h5py.File(weights, "r") as file:
            arrays = list_arrays(file, weights)
            if index["format"] == "h5":
                _read_whole_model(file, path, index)
            else:
                index["layer_names"] = _saved_names(file)
            index["arrays"] = _write_arrays(arrays, folder / ARRAYS)
    except UntrustedModelError as error:
        # The name of the file in the folder tells the user nothing.
        raise UntrustedModelError(str(error).replace(str(weights), str(path))) from error
    except DAMAGED as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UntrustedModelError(
            f"{path}: not a whole HDF5 file ({reason}); save the model again"
        ) from error


def _read_whole_model(file: Any, path: Path, index: dict[str, Any]) -> None:
    """Takes what Keras keeps in attributes beside the weights."""
    config = read_text(file, "model_config", MAX_CONFIG_BYTES)
    if config is None:
        weights_only = (
            "layer_names" in file.attrs or "layers" in file or "layer_names0" in file.attrs
        )
        what = "weights only" if weights_only else "an HDF5 file of something else"
        raise UntrustedModelError(
            f"{path}: {what}; save the whole model with model.save('model.keras'), or give "
            "model.architecture and model.weights"
        )
    index["config"] = config
    index["training_config"] = read_text(file, "training_config", MAX_CONFIG_BYTES)
    index["keras_version"] = read_text(file, "keras_version", 100)
    group = file["model_weights"]
    names = [*read_names(group, "layer_names"), "top_level_model_weights"]
    index["weight_names"] = {
        name: read_names(group[name], "weight_names") for name in names if name in group
    }


def _saved_names(file: Any) -> dict[str, str]:
    """Path of a group → the name of the layer whose variables it holds, where Keras wrote it."""
    found: dict[str, str] = {}

    def note(path: str, member: Any) -> None:
        if path.rpartition("/")[2] == "vars" and "name" in member.attrs:
            name = read_text(member, "name", 1000)
            if name is not None:
                found[path] = name

    file.visititems(note)
    return found


def _write_arrays(arrays: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    """Writes the model's arrays one after the other, little-endian, and lists them."""
    import numpy as np

    listed = []
    with open(path, "wb") as out:
        for name, array in arrays.items():
            if name.split("/")[0] in TRAINING_GROUPS:
                continue
            values = np.asarray(array[()])
            values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
            listed.append({
                "name": name, "dtype": values.dtype.str, "shape": list(array.shape),
                "offset": out.tell(),
            })  # fmt: skip
            out.write(values.tobytes())
    return listed


def _limit_resources(size_bytes: int) -> None:
    """Bounds this process: memory beyond what the file can need, CPU time, size of files."""
    memory = READER_MEMORY_BYTES + 3 * size_bytes
    for kind, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, READER_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, MAX_FILE_BYTES + MAX_CONFIG_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        value = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (value, value))


def main(arguments: list[str], answer: Callable[[str], Any]) -> None:
    """Reads the file that the arguments name and answers with one line.

    Args:
        arguments: the file and the folder.
        answer: takes the line.
    """
    path, folder = Path(arguments[0]), Path(arguments[1])
    try:
        import h5py  # noqa: F401 - loaded before the memory is bounded
        import numpy  # noqa: F401

        _limit_resources(path.stat().st_size)
        read_file(path, folder)
        answer(json.dumps({}))
    except (UntrustedModelError, MemoryError, OSError, RecursionError) as error:
        told = isinstance(error, UntrustedModelError)
        reason = str(error) if told else f"{path}: cannot be read ({error or type(error).__name__})"
        answer(json.dumps({"error": reason}))


if __name__ == "__main__":
    main(sys.argv[1:], print)
