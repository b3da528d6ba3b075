"""Labels of every task: checked, named, and turned into what the losses take."""

from __future__ import annotations

import numpy as np

from pipeline.data.arrays import PART_ARRAYS, SourceArrays
from pipeline.data.label_checks import (
    Parts,
    require_different,
    require_every_class,
    require_indices,
    require_known,
    require_numbers,
    require_one_hot,
)
from pipeline.errors import DataError
from pipeline.tasks.task import TASKS, Task


def read_labels(task: str, source: SourceArrays) -> tuple[Parts, tuple[str, ...]]:
    """Checks the labels of every part of a source.

    Args:
        task: a key of TASKS.
        source: the parts as they were read.

    Returns:
        part → labels as encode_labels gives them (none where the task has no answers), and the
        names of classes, labels or targets.

    Raises:
        DataError: naming the array, the first bad index, and what was expected.
    """
    if not TASKS[task].has_answers:
        return {}, ()
    raw: Parts = {}
    for part, arrays in source.parts.items():
        if arrays.y is None:
            raise DataError(
                f"{source.origin}: {PART_ARRAYS[part][1]} is missing; data.task {task} expects "
                f"it (only reconstruction and parity need no labels)"
            )
        raw[part] = arrays.y
    if not TASKS[task].has_labels:
        return _read_columns(task, source, raw)
    names, found = _read_classes(source, raw)
    if task == "binary" and len(names) != 2:
        raise DataError(
            f"{source.origin}: data.task binary expects the labels 0 and 1, or two names; received "
            f"{len(names)} classes; set data.task: classification"
        )
    return found, names


def encode_labels(task: str, y: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Turns checked labels into numbers.

    Args:
        task: classification, binary, multi_label or regression.
        y: class indices (n,) or (n, 1), names of classes, one-hot rows (n, classes); 0 and 1
            (n, labels); numbers (n,) or (n, targets).
        names: of the classes; used for labels that are names.

    Returns:
        int64 (n,) class indices; float32 (n, labels); float64 (n, targets), not standardized.
    """
    if task == "multi_label":
        return y.astype(np.float32)
    if task == "regression":
        return y.reshape(len(y), -1).astype(np.float64)
    if y.ndim == 2 and y.shape[1] > 1:
        return y.argmax(axis=1).astype(np.int64)
    if y.dtype.kind in "OU":
        index = {name: position for position, name in enumerate(names)}
        return np.array([index[str(label)] for label in y.reshape(-1)], np.int64)
    return y.reshape(-1).astype(np.int64)


def make_task(
    name: str,
    names: tuple[str, ...],
    train: np.ndarray | None,
    sample_shape: tuple[int, ...],
    standardize: bool = True,
) -> Task:
    """Describes the task of a data set.

    Args:
        name: a key of TASKS.
        names: of classes, labels or targets.
        train: the training split's labels, from encode_labels; None where the task has none.
        sample_shape: shape of what the model takes, without the batch axis.
        standardize: map the targets of a regression to zero mean and unit variance.

    Raises:
        DataError: a target of a regression is the same for every training sample.
    """
    if name == "parity":
        return Task(name, 0)
    if name == "reconstruction" or train is None:
        return Task(name, int(np.prod(sample_shape)))
    if name == "binary":
        return Task(name, 1, names)
    if name != "regression":
        return Task(name, len(names), names)
    if not standardize:
        targets = train.shape[1]
        return Task(name, targets, names, (1.0,) * targets, (0.0,) * targets)
    # Equal minimum and maximum tell a constant exactly; a deviation would be rounding noise.
    constant = np.flatnonzero(train.min(axis=0) == train.max(axis=0))
    if len(constant):
        raise DataError(
            f"target {names[constant[0]] if names else constant[0]} is {train[0, constant[0]]} for "
            f"every training sample; expected values that differ; check the labels"
        )
    scale, offset = train.std(axis=0), train.mean(axis=0)
    return Task(name, train.shape[1], names, tuple(scale.tolist()), tuple(offset.tolist()))


def standardize_targets(task: Task, y: np.ndarray) -> np.ndarray:
    """Maps targets (n, targets) of a regression to what the model answers, float32."""
    return ((y - np.asarray(task.target_offset)) / np.asarray(task.target_scale)).astype(np.float32)


def _read_columns(task: str, source: SourceArrays, raw: Parts) -> tuple[Parts, tuple[str, ...]]:
    """Labels of multi_label and regression: numbers, a column for each label or target."""
    names, width = source.class_names, 0
    for part, y in raw.items():
        where = f"{source.origin}: {PART_ARRAYS[part][1]}"
        require_numbers(task, where, y)
        columns = y.shape[1] if y.ndim == 2 else 1
        width = width or columns
        if columns != width:
            raise DataError(f"{where} has {columns} columns, the first part {width}; make it equal")
    if names is not None and len(names) != width:
        raise DataError(
            f"{source.origin}: received {len(names)} class_names for {width} columns of labels; "
            f"expected one per column"
        )
    if names is None:
        names = () if task == "regression" else tuple(str(index) for index in range(width))
    require_different(source.origin, names)
    return {part: encode_labels(task, y, names) for part, y in raw.items()}, names


def _read_classes(source: SourceArrays, raw: Parts) -> tuple[tuple[str, ...], Parts]:
    """One class per sample: indices, one-hot rows, or names."""
    fitted = "train" if "train" in raw else "all"
    names, count = source.class_names, 0
    texts = {part for part, y in raw.items() if y.dtype.kind in "OU"}
    if texts and len(texts) < len(raw):
        raise DataError(
            f"{source.origin}: the labels of {', '.join(sorted(texts))} are names, those of other "
            f"parts are not; expected the same for all"
        )
    for part, y in raw.items():
        where = f"{source.origin}: {PART_ARRAYS[part][1]}"
        if y.ndim == 2 and y.shape[1] > 1:
            require_one_hot(where, y)
            count = max(count, y.shape[1])
        elif y.ndim not in (1, 2) or (y.ndim == 2 and y.shape[1] != 1):
            raise DataError(
                f"{where} has shape {y.shape}; expected (samples,) class indices or names, or "
                f"one-hot (samples, classes)"
            )
        elif part not in texts:
            require_indices(where, y)
    if texts:
        names = names or tuple(sorted({str(label) for label in raw[fitted].reshape(-1)}))
        for part in raw:
            require_known(f"{source.origin}: {PART_ARRAYS[part][1]}", raw[part], names)
    found = {part: encode_labels("classification", y, names or ()) for part, y in raw.items()}
    count = len(names) if names else count or 1 + max(int(y.max()) for y in found.values())
    require_every_class(source, found, fitted, count)
    names = names or tuple(str(index) for index in range(count))
    require_different(source.origin, names)
    return names, found
