"""What preparing data decides, and its two files: `splits.npz` (indices) and `data.json`."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.artifacts.files import sha256_json, write_bytes_atomic, write_json_atomic
from pipeline.data.npz import UNREADABLE
from pipeline.data.preprocessing import Affine
from pipeline.errors import ArtifactError
from pipeline.tasks.task import Task

FORMAT = 3
INDICES_FILE = "splits.npz"
DESCRIPTION_FILE = "data.json"
# Names relative to data.path, and hex SHA-256 of the contents.
FileList = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Preparation:
    """Which samples each split has, and how they are scaled; the samples stay in the source.

    Attributes:
        source: name of the source.
        task: what a model of this data is asked to do.
        input_shape: shape of one sample as the model takes it.
        input_dtype: "float32", or "int32" for token ids.
        part_digests: part of the source → hex SHA-256 of its arrays.
        split_parts: split → the part it is cut from.
        indices: split → sorted int64 indices into that part.
        class_counts: split → samples of each class, or positives of each label; empty for
            regression, reconstruction and parity.
        duplicates: see data.duplicates.count_duplicates.
        affine: preprocessing fitted on the training split; None for none.
        placement: "sidecar" or "model".
        encoding: how table rows, texts or images become samples; None for arrays.
        files: of images: part → names of its files and their SHA-256, in order.
    """

    source: str
    task: Task
    input_shape: tuple[int, ...]
    input_dtype: str
    part_digests: dict[str, str]
    split_parts: dict[str, str]
    indices: dict[str, np.ndarray]
    class_counts: dict[str, tuple[int, ...]]
    duplicates: dict[str, int]
    affine: Affine | None
    placement: str
    encoding: dict[str, Any] | None = None
    files: dict[str, FileList] | None = None

    @property
    def digest(self) -> str:
        """Returns the hex SHA-256 over all that a model sees of the data."""
        return sha256_json(
            {
                "parts": self.part_digests,
                "splits": {
                    name: [self.split_parts[name], _digest_indices(indices)]
                    for name, indices in self.indices.items()
                },
                "preprocessing": self.preprocessing_json(),
                "task": self.task.to_json(),
                "input": [self.input_shape, self.input_dtype],
                "encoding": self.encoding,
            }
        )

    def preprocessing_json(self) -> dict[str, Any] | None:
        """Returns {"scale", "offset", "placement"}, None without preprocessing."""
        if self.affine is None:
            return None
        return {**self.affine.to_json(), "placement": self.placement}

    def metrics(self) -> dict[str, Any]:
        """Returns the figures that the run's record and the report show."""
        return {
            "digest": self.digest,
            "source": self.source,
            "task": self.task.to_json(),
            "class_names": list(self.task.class_names),
            "input_shape": list(self.input_shape),
            "input_dtype": self.input_dtype,
            "encoding": None if self.encoding is None else self.encoding["kind"],
            "samples": {name: len(indices) for name, indices in self.indices.items()},
            "class_counts": {name: list(counts) for name, counts in self.class_counts.items()},
            "duplicates": self.duplicates,
            "preprocessing": self.preprocessing_json(),
        }


def save_preparation(preparation: Preparation, directory: Path) -> None:
    """Writes `splits.npz` and, last, `data.json`; each is whole or absent.

    Args:
        preparation: what to keep.
        directory: target folder; made when it is missing.

    Raises:
        StorageError: disk or permissions.
    """
    buffer = io.BytesIO()
    arrays = {**preparation.indices, **_file_arrays(preparation.files)}
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_bytes_atomic(directory / INDICES_FILE, buffer.getvalue())
    description = {
        "format": FORMAT,
        **preparation.metrics(),
        "encoding": preparation.encoding,
        "placement": preparation.placement,
        "part_digests": preparation.part_digests,
        "split_parts": preparation.split_parts,
    }
    write_json_atomic(directory / DESCRIPTION_FILE, description)


def load_preparation(directory: Path) -> Preparation:
    """Reads what save_preparation wrote and checks it against its digest.

    Args:
        directory: the folder.

    Returns:
        The preparation.

    Raises:
        ArtifactError: missing, torn, of another format, or not what its digest says.
    """
    try:
        description = json.loads((directory / DESCRIPTION_FILE).read_bytes())
        with np.load(directory / INDICES_FILE, allow_pickle=False) as archive:
            indices = {name: archive[name] for name in description["split_parts"]}
            files = _file_lists(archive, description["part_digests"])
        preparation = _from_files(description, indices, files)
        intact = description["format"] == FORMAT and description["digest"] == preparation.digest
    except (*UNREADABLE, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise ArtifactError(
            f"{directory}: prepared data is missing or torn ({reason}); prepare it again"
        ) from error
    if not intact:
        raise ArtifactError(
            f"{directory}: prepared data is not what its digest says; prepare again"
        )
    return preparation


def _from_files(
    description: dict[str, Any],
    indices: dict[str, np.ndarray],
    files: dict[str, FileList] | None,
) -> Preparation:
    preprocessing = description["preprocessing"]
    counts = description["class_counts"]
    return Preparation(
        source=description["source"],
        task=Task.from_json(description["task"]),
        input_shape=tuple(description["input_shape"]),
        input_dtype=description["input_dtype"],
        part_digests=description["part_digests"],
        split_parts=description["split_parts"],
        indices=indices,
        class_counts={name: tuple(values) for name, values in counts.items()},
        duplicates=description["duplicates"],
        affine=None if preprocessing is None else Affine.from_json(preprocessing),
        placement=description["placement"],
        encoding=description["encoding"],
        files=files,
    )


def _file_arrays(files: dict[str, FileList] | None) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for part, (names, digests) in (files or {}).items():
        arrays[f"{part} files"] = np.array(names, np.str_)
        arrays[f"{part} digests"] = np.array(digests, np.str_)
    return arrays


def _file_lists(archive: Any, parts: dict[str, str]) -> dict[str, FileList] | None:
    files = {
        part: (tuple(archive[f"{part} files"].tolist()), tuple(archive[f"{part} digests"].tolist()))
        for part in parts
        if f"{part} files" in archive.files
    }
    return files or None


def _digest_indices(indices: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(indices, dtype="<i8").data).hexdigest()
