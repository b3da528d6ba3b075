"""What `--data` and `--calibration` mean: the data section of a configuration."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from pipeline.config.sources import source_row
from pipeline.errors import ConfigError
from pipeline.models.told_task import Answers
from pipeline.models.weights_npz import UNREADABLE, npy_header

FORMS = (
    "a .npz file (x, y or x_train, y_train, …), a folder of images per class, digits, "
    "keras:NAME, tfds:NAME or python:MODULE:FUNCTION"
)
LABELS = ("y", "y_train")


def data_section(given: str) -> dict[str, Any]:
    """Returns the data section for what stands behind `--data` or `--calibration`.

    Args:
        given: a path, or the name of a source.

    Raises:
        ConfigError: neither.
    """
    path = Path(given)
    if path.suffix in (".npz", ".npy"):
        return {"source": "npz", "path": str(path.absolute())}
    if path.is_dir():
        # The model takes pixels as they are; whatever it does with them is inside it.
        return {"source": "images", "path": str(path.absolute())}
    try:
        row = source_row(given)
    except ValueError as error:
        raise ConfigError(f"--data {given}: expected {FORMS}") from error
    if row.path == "required":
        raise ConfigError(
            f"--data {given}: that source needs more than a name; write a configuration with "
            "model.path and a data section, and use slimline run"
        )
    return {"source": given}


def has_own_validation(section: dict[str, Any]) -> bool:
    """Tells whether the source brings validation samples; else they are cut from the others."""
    if section["source"] != "npz":
        return False
    try:
        with zipfile.ZipFile(section["path"]) as archive:
            return "x_val.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def answers_of(section: dict[str, Any]) -> Answers:
    """Tells what the labels are, from the head of an array alone; nothing is read whole.

    Args:
        section: from data_section.
    """
    source = section["source"]
    if source == "images" or (source != "npz" and source_row(source).answers == "classes"):
        return "classes"
    if source != "npz":
        return "numbers" if source_row(source).answers == "numbers" else "unknown"
    try:
        with zipfile.ZipFile(section["path"]) as archive:
            name = next(f"{name}.npy" for name in LABELS if f"{name}.npy" in archive.namelist())
            shape, dtype = npy_header(archive, name)
    except (*UNREADABLE, StopIteration):
        return "unknown"  # whatever is wrong with the file is told when it is read
    whole = dtype.kind in "iuUSb" and (len(shape) == 1 or shape[1:] == (1,))
    return "classes" if whole else "numbers" if dtype.kind == "f" and len(shape) == 1 else "unknown"
