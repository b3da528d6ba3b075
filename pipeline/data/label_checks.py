"""Checks of labels that came from outside; each raises a DataError that names the first bad one."""

from __future__ import annotations

import numpy as np

from pipeline.data.arrays import PART_ARRAYS, SourceArrays
from pipeline.errors import DataError

LARGEST = float(np.finfo(np.float32).max)  # models compute in float32
LARGEST_CLASS = 2**31
Parts = dict[str, np.ndarray]


def require_numbers(task: str, where: str, y: np.ndarray) -> None:
    """Refuses answers of multi_label and regression that are no columns of fitting numbers."""
    expected = "(samples, labels) of 0 and 1" if task == "multi_label" else "(samples, targets)"
    ranks = (2,) if task == "multi_label" else (1, 2)
    if y.ndim not in ranks or y.size == 0:
        raise DataError(f"{where} has shape {y.shape}; data.task {task} expects {expected}")
    if y.dtype.kind not in "biuf":
        raise DataError(
            f"{where} has dtype {y.dtype}, first value {y.reshape(-1)[0]!r}; data.task {task} "
            f"expects numbers"
        )
    with np.errstate(invalid="ignore"):
        if task == "multi_label":
            good, words = (y == 0) | (y == 1), "0 or 1, a column for each label"
        else:
            good, words = np.abs(y) <= LARGEST, "finite values within float32's range"
    if not good.all():
        index = np.argwhere(~good)[0]
        place = ", ".join(str(i) for i in index)
        raise DataError(f"{where}[{place}] is {y[tuple(index)]}; expected {words}")


def require_one_hot(where: str, y: np.ndarray) -> None:
    """Refuses rows (n, classes) that are not one 1 and the rest 0."""
    if y.dtype.kind not in "biuf":
        raise DataError(f"{where} has dtype {y.dtype} and shape {y.shape}; expected 0 and 1")
    good = ((y == 0) | (y == 1)).all(axis=1) & (y.sum(axis=1) == 1)
    if good.all():
        return
    row = int(np.argmin(good))
    hint = (
        "for several labels at once set data.task: multi_label"
        if np.isin(y[row], (0, 1)).all()
        else "for soft labels give the likeliest class and set train.label_smoothing or "
        "train.mixup; for numbers to predict set data.task: regression"
    )
    raise DataError(f"{where}[{row}] is {y[row].tolist()[:10]}; expected one 1, the rest 0; {hint}")


def require_indices(where: str, y: np.ndarray) -> None:
    """Refuses labels (n,) or (n, 1) that are not whole numbers from 0."""
    if y.dtype.kind not in "biuf":
        raise DataError(
            f"{where} has dtype {y.dtype}, first value {y.reshape(-1)[:1].tolist()}; expected "
            f"integer class indices 0..n-1 or names"
        )
    flat = y.reshape(-1)
    with np.errstate(invalid="ignore"):
        good = (flat == np.floor(flat)) & (flat >= 0) & (flat < LARGEST_CLASS)
    if not good.all():
        index = int(np.argmin(good))
        raise DataError(
            f"{where}[{index}] is {flat[index]}; expected integer class indices 0..n-1; for "
            f"numbers to predict set data.task: regression"
        )


def require_known(where: str, y: np.ndarray, names: tuple[str, ...]) -> None:
    """Refuses labels that are not among the names."""
    known = set(names)
    for index, label in enumerate(y.reshape(-1).tolist()):
        if not isinstance(label, str) or label not in known:
            raise DataError(
                f"{where}[{index}] is {label!r}; expected one of {', '.join(names[:20])}"
            )


def require_every_class(source: SourceArrays, found: Parts, fitted: str, count: int) -> None:
    """Refuses classes without training samples, gaps, and a single class."""
    label_name = PART_ARRAYS[fitted][1]
    trained = np.unique(found[fitted])
    for part, y in found.items():
        beyond = ~np.isin(y, trained) | (y >= count)
        if beyond.any():
            index = int(np.argmax(beyond))
            raise DataError(
                f"{source.origin}: {PART_ARRAYS[part][1]}[{index}] is class {y[index]}; expected a "
                f"class below {count} that {label_name} has samples of"
            )
    if len(trained) < count:
        gap = next(i for i, c in enumerate([*trained.tolist(), -1]) if c != i)
        raise DataError(
            f"{source.origin}: {label_name} has no sample of class {gap}, but classes 0 to "
            f"{count - 1} are expected without gaps; number the classes 0..n-1 or add samples"
        )
    if count < 2:
        raise DataError(f"{source.origin}: {label_name} has 1 class; expected at least 2")


def require_different(origin: str, names: tuple[str, ...]) -> None:
    """Refuses empty or repeated names of classes, labels or targets."""
    for index, name in enumerate(names):
        if not name.strip() or name in names[:index]:
            raise DataError(
                f"{origin}: class_names[{index}] is {name!r}; expected different, non-empty names"
            )
