"""Checks of arrays that came from outside. What is refused is named by its first bad index."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.data.arrays import PART_ARRAYS, Part, SourceArrays
from pipeline.errors import DataError

CHUNK_ROWS = 4096
LARGEST = float(np.finfo(np.float32).max)  # models compute in float32


def validate_source(source: SourceArrays) -> SourceArrays:
    """Checks every part and what must hold between parts.

    Args:
        source: arrays as they were read.

    Returns:
        The same with labels as int64 (n,) and with class names.

    Raises:
        DataError: naming the array, the first bad index, what was expected.
    """
    parts = {
        name: Part(_samples(source.origin, name, part), _labels(source.origin, name, part))
        for name, part in source.parts.items()
    }
    first, *others = parts
    for other in others:
        if parts[other].x.shape[1:] != parts[first].x.shape[1:]:
            raise DataError(
                f"{source.origin}: samples of {PART_ARRAYS[other][0]} have shape "
                f"{parts[other].x.shape[1:]}, those of {PART_ARRAYS[first][0]} "
                f"{parts[first].x.shape[1:]}; expected the same"
            )
    return SourceArrays(source.origin, parts, _classes(source, parts))


def _samples(origin: str, part: str, arrays: Part) -> np.ndarray:
    name, label_name = PART_ARRAYS[part]
    x, y = arrays.x, arrays.y
    where = f"{origin}: {name}"
    if x.dtype.kind not in "biuf":
        raise DataError(f"{where} has dtype {x.dtype}; expected numbers (integer or float)")
    if x.ndim < 2:
        raise DataError(f"{where} has shape {x.shape}; expected (samples, features…)")
    if len(x) == 0:
        raise DataError(f"{where} is empty; expected at least one sample")
    if x.size == 0:
        raise DataError(f"{where} has shape {x.shape}; expected samples with at least one value")
    if y.ndim == 0 or len(x) != len(y):
        raise DataError(
            f"{where} has {len(x)} samples, {label_name} has {len(y) if y.ndim else 'no axis'}; "
            f"expected one label per sample"
        )
    if x.dtype.kind == "f":
        _finite(where, x)
    return x


def _finite(where: str, x: np.ndarray) -> None:
    for start, chunk in _chunks(x):
        # One comparison finds NaN, infinities and what float32 cannot hold.
        with np.errstate(invalid="ignore"):
            good = np.abs(chunk) <= LARGEST
        if not good.all():
            index = np.argwhere(~good)[0]
            value = chunk[tuple(index)]
            place = ", ".join(str(i) for i in (start + index[0], *index[1:]))
            raise DataError(
                f"{where}[{place}] is {value}; expected finite values within float32's range; "
                f"clean or drop sample {start + index[0]}"
            )


def _labels(origin: str, part: str, arrays: Part) -> np.ndarray:
    name, y = PART_ARRAYS[part][1], arrays.y
    where = f"{origin}: {name}"
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        hint = "; for one-hot labels use argmax(axis=1)" if y.ndim == 2 else ""
        raise DataError(f"{where} has shape {y.shape}; expected (samples,) class indices{hint}")
    if y.dtype.kind not in "biuf":
        raise DataError(
            f"{where} has dtype {y.dtype}, first value {y[:1].tolist()}; expected integer class "
            f"indices 0..n-1, with names in class_names"
        )
    with np.errstate(invalid="ignore"):
        good = (y == np.floor(y)) & (y >= 0) & (y < 2**31)
    if not good.all():
        index = int(np.argmin(good))
        raise DataError(f"{where}[{index}] is {y[index]}; expected integer class indices 0..n-1")
    return y.astype(np.int64)


def _classes(source: SourceArrays, parts: dict[str, Part]) -> tuple[str, ...]:
    fitted = next(name for name in ("train", "all") if name in parts)
    label_name = PART_ARRAYS[fitted][1]
    trained = np.unique(parts[fitted].y)
    names = source.class_names
    count = (
        len(names) if names is not None else int(max(part.y.max() for part in parts.values())) + 1
    )
    for part, arrays in parts.items():
        beyond = ~np.isin(arrays.y, trained) | (arrays.y >= count)
        if beyond.any():
            index = int(np.argmax(beyond))
            raise DataError(
                f"{source.origin}: {PART_ARRAYS[part][1]}[{index}] is class {arrays.y[index]}; "
                f"expected a class below {count} that {label_name} has samples of"
            )
    if len(trained) < count:
        gap = next(i for i, c in enumerate([*trained.tolist(), -1]) if c != i)
        raise DataError(
            f"{source.origin}: {label_name} has no sample of class {gap}, but classes 0 to "
            f"{count - 1} are expected without gaps; number the classes 0..n-1 or add samples"
        )
    if count < 2:
        raise DataError(f"{source.origin}: {label_name} has 1 class; expected at least 2")
    if names is None:
        return tuple(str(index) for index in range(count))
    _unique(source.origin, names)
    return names


def _unique(origin: str, names: tuple[str, ...]) -> None:
    for index, name in enumerate(names):
        if not name.strip() or name in names[:index]:
            raise DataError(
                f"{origin}: class_names[{index}] is {name!r}; expected different, non-empty names"
            )


def _chunks(x: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, len(x), CHUNK_ROWS):
        yield start, x[start : start + CHUNK_ROWS]
