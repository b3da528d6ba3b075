"""From what a user gives (a file, or a text itself) to the samples a model file takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.raw_input import IMAGE_ENDINGS, TABLE_ENDINGS, encode, read_raw
from pipeline.errors import DataError

FILE_ENDINGS = (*TABLE_ENDINGS, *IMAGE_ENDINGS, ".npy")


@dataclass(frozen=True)
class RawSamples:
    """Encoded samples, before preprocessing and quantization.

    Attributes:
        x: (n, *input_shape).
        sources: which input each sample came from.
        notes: what had to be assumed.
    """

    x: np.ndarray
    sources: tuple[str, ...]
    notes: tuple[str, ...]


def read_samples(inputs: Sequence[str], sidecar: Mapping[str, Any]) -> RawSamples:
    """Reads and encodes every input.

    Args:
        inputs: paths of .npy, .csv, .txt or image files; for a text model also texts.
        sidecar: the model's.

    Raises:
        DataError: an input that cannot be read, or does not fit the model.
    """
    parts, sources, notes = [], [], []
    for given in inputs:
        try:
            samples, assumed = _read_one(given, sidecar)
        except (OSError, ValueError, EOFError, KeyError) as error:
            reason = str(error) if str(error).startswith(given) else f"{given}: {error}"
            raise DataError(" ".join(reason.split())) from error
        parts.append(_fit(given, samples, sidecar))
        sources += [given] * len(parts[-1])
        notes += [note for note in assumed if note not in notes]
    return RawSamples(np.concatenate(parts), tuple(sources), tuple(notes))


def _read_one(given: str, sidecar: Mapping[str, Any]) -> tuple[np.ndarray, tuple[str, ...]]:
    encoding = sidecar["encoding"]
    kind = None if encoding is None else encoding["kind"]
    path = Path(given)
    if kind == "text" and not _is_path(given):
        return encode([given], encoding), ()
    if not path.is_file():
        raise DataError(f"{given}: no such file; expected {_expected(sidecar)}")
    if kind is None and path.suffix.lower() in IMAGE_ENDINGS:
        return _read_plain_image(path, sidecar)
    return encode(read_raw(path, encoding), encoding), ()


def _is_path(given: str) -> bool:
    """A text is one unless it is a file, or was surely meant to be one."""
    try:
        exists = Path(given).exists()
    except (OSError, ValueError):  # longer than any file's name
        return False
    return exists or (len(given.split()) == 1 and given.lower().endswith(FILE_ENDINGS))


def _read_plain_image(path: Path, sidecar: Mapping[str, Any]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Decodes an image for a model of plain arrays whose samples have the shape of images."""
    shape = _shape(sidecar)
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise DataError(f"{path}: the model takes arrays of shape {_words(shape)}, not images")
    size = {"kind": "images", "size": shape[:2], "channels": shape[2], "resize": "stretch"}
    largest = _largest_value(sidecar["preprocessing"])
    colors = "grey" if shape[2] == 1 else "colour"
    note = (
        f"the model was trained on arrays, not on image files: taken as {colors} values from 0 to "
        f"{largest:g}, resized to {shape[0]}×{shape[1]}"
    )
    return encode([path], size) * np.float32(largest / 255), (note,)


def _largest_value(preprocessing: Mapping[str, Any] | None) -> float:
    """The value of white: what the preprocessing maps to 1 if it is a plain factor, else 255."""
    if preprocessing is None or preprocessing["offset"] != 0:
        return 255.0
    scale = preprocessing["scale"]
    return 1 / scale if isinstance(scale, int | float) and scale > 0 else 255.0


def _fit(given: str, samples: np.ndarray, sidecar: Mapping[str, Any]) -> np.ndarray:
    """Returns (n, *shape); refuses another shape, no samples, and what is not a finite number."""
    shape = _shape(sidecar)
    samples = samples[None] if samples.shape == shape else samples
    if samples.shape[1:] != shape or len(samples) == 0:
        raise DataError(
            f"{given}: shape {_words(samples.shape)}, expected {_words(('n', *shape))}: "
            f"{_expected(sidecar)}"
        )
    if samples.dtype.kind not in "fiub":
        raise DataError(f"{given}: holds {samples.dtype}, expected numbers")
    bad = ~np.isfinite(samples).reshape(len(samples), -1).all(axis=1)
    if bad.any():
        raise DataError(f"{given}: sample {int(bad.argmax())} has a value that is NaN or infinite")
    return samples


def _expected(sidecar: Mapping[str, Any]) -> str:
    encoding = sidecar["encoding"]
    kind = None if encoding is None else encoding["kind"]
    return {
        "text": "a text, a .txt file with a text per line, a .csv file or a .npy file",
        "table": "a .csv file with the columns of the training data, or a .npy file",
        "images": "an image, or a .npy file",
    }.get(str(kind), "a .npy file with raw samples (n, …), or an image where samples are images")


def _shape(sidecar: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(sidecar["inputs"][0]["shape"][1:])


def _words(shape: Sequence[Any]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
