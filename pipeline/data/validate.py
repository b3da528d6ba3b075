"""Checks of samples that came from outside. What is refused is named by its first bad index."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.data.arrays import PART_ARRAYS, Part, SourceArrays, chunks
from pipeline.data.label_checks import LARGEST
from pipeline.data.labels import read_labels
from pipeline.data.table import Table
from pipeline.errors import DataError
from pipeline.tasks.task import TASKS

LARGEST_TOKEN = 2**31


def validate_source(source: SourceArrays, task: str = "classification") -> SourceArrays:
    """Checks every part and what must hold between parts.

    Args:
        source: arrays as they were read.
        task: what the labels are for, a key of TASKS.

    Returns:
        The same with labels as data.labels.encode_labels gives them (None where the task has none),
        and with the names of classes, labels or targets.

    Raises:
        DataError: naming the array, the first bad index, what was expected.
    """
    for name, part in source.parts.items():
        _check_samples(source, name, part, task)
    first, *others = source.parts
    for other in others:
        _require_same_form(source, first, other)
    labels, names = read_labels(task, source)
    parts = {name: Part(part.x, labels.get(name)) for name, part in source.parts.items()}
    return SourceArrays(source.origin, parts, names, source.kind)


def _check_samples(source: SourceArrays, part: str, arrays: Part, task: str) -> None:
    name, label_name = PART_ARRAYS[part]
    x, y = arrays.x, arrays.y
    where = f"{source.origin}: {name}"
    if len(x) == 0:
        raise DataError(f"{where} is empty; expected at least one sample")
    if source.kind not in ("table", "text"):
        _check_array(where, x, source.kind)
    if TASKS[task].has_answers and y is not None and (y.ndim == 0 or len(x) != len(y)):
        raise DataError(
            f"{where} has {len(x)} samples, {label_name} has {len(y) if y.ndim else 'no axis'}; "
            f"expected one label per sample"
        )


def _check_array(where: str, x: Any, kind: str) -> None:
    if x.dtype.kind not in "biuf":
        raise DataError(f"{where} has dtype {x.dtype}; expected numbers (integer or float)")
    if len(x.shape) < 2:
        raise DataError(f"{where} has shape {x.shape}; expected (samples, features…)")
    if 0 in x.shape:
        raise DataError(f"{where} has shape {x.shape}; expected samples with at least one value")
    if kind == "tokens":
        _require(where, x, _is_token, "token ids: whole numbers from 0 to 2**31 - 1")
    elif x.dtype.kind == "f":
        _require(where, x, _is_finite, "finite values within float32's range")


def _is_finite(values: np.ndarray) -> np.ndarray:
    # One comparison finds NaN, infinities and what float32 cannot hold.
    return np.abs(values) <= LARGEST


def _is_token(values: np.ndarray) -> np.ndarray:
    return (values == np.floor(values)) & (values >= 0) & (values < LARGEST_TOKEN)


def _require(where: str, x: np.ndarray, test: Any, words: str) -> None:
    for rows in chunks(x.shape):
        chunk = x[rows]
        with np.errstate(invalid="ignore"):
            good = test(chunk)
        if not good.all():
            index = np.argwhere(~good)[0]
            value = chunk[tuple(index)]
            sample = rows.start + index[0]
            place = ", ".join(str(i) for i in (sample, *index[1:]))
            raise DataError(
                f"{where}[{place}] is {value}; expected {words}; clean or drop sample {sample}"
            )


def _require_same_form(source: SourceArrays, first: str, other: str) -> None:
    received, expected = (_form(source.parts[name].x) for name in (other, first))
    if received != expected:
        raise DataError(
            f"{source.origin}: samples of {PART_ARRAYS[other][0]} have {received}, those of "
            f"{PART_ARRAYS[first][0]} {expected.removeprefix('shape ')}; expected the same"
        )


def _form(x: Any) -> str:
    if isinstance(x, Table):
        return f"the columns {', '.join(x.columns)}"
    return f"shape {x.shape[1:]}"
