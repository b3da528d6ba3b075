"""From the record of a preparation to the splits that a stage asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.data.arrays import SourceArrays, digest_part
from pipeline.data.encodings import Encoding, load_encoding
from pipeline.data.labels import encode_labels, standardize_targets
from pipeline.data.preparation import Preparation, load_preparation
from pipeline.data.prepared import SPLITS, PreparedData, Split
from pipeline.data.sources import read_source
from pipeline.errors import ArtifactError, DataError

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.config.data import DataConfig
    from pipeline.config.schema import Config
    from pipeline.data.samples import Samples


def load_data(config: DataConfig, directory: Path, splits: tuple[str, ...]) -> PreparedData:
    """Loads the asked splits; the parts of the source that they do not need stay unread.

    Args:
        config: the data section (source, path and what tells how to read them are used).
        directory: folder that save_preparation wrote.
        splits: of "train", "validation", "test".

    Returns:
        The splits as the model takes them: mapped by the preprocessing when its placement is
        "sidecar", as in the source when it is "model". Images stay on disk until asked for.

    Raises:
        ArtifactError: the preparation is missing, torn, or of another source or task.
        DataError: the source's arrays are no longer those that were prepared.
    """
    preparation = load_preparation(directory)
    prepared, wanted = (preparation.source, preparation.task.name), (config.source, config.task)
    for name, was, now in zip(("source", "task"), prepared, wanted, strict=True):
        if was != now:
            raise ArtifactError(
                f"{directory}: was prepared from {was}, data.{name} is {now}; prepare the data "
                f"again"
            )
    if unknown := sorted(set(splits) - set(SPLITS)):
        raise ValueError(f"received splits {unknown}; expected some of {SPLITS}")
    source = _read(config, preparation, frozenset(preparation.split_parts[name] for name in splits))
    encoding = load_encoding(preparation.encoding)
    return PreparedData(
        splits={name: _load_split(source, preparation, encoding, name) for name in splits},
        task=preparation.task,
        input_shape=preparation.input_shape,
        preprocessing=preparation.affine,
        placement=preparation.placement,
        input_dtype=preparation.input_dtype,
        encoding=preparation.encoding,
    )


def load_for_model(config: Config, directory: Path, splits: tuple[str, ...]) -> PreparedData:
    """Loads splits as `load_data` does; the task is told what the model's outputs are.

    Args:
        config: the whole configuration; `model.outputs` tells logits from probabilities.
        directory: folder that save_preparation wrote.
        splits: of "train", "validation", "test".
    """
    data = load_data(config.data, directory, splits)
    form = getattr(config.model, "outputs", "logits")
    return replace(data, task=replace(data.task, probabilities=form == "probabilities"))


def _read(config: DataConfig, preparation: Preparation, parts: frozenset[str]) -> SourceArrays:
    if preparation.files is not None and preparation.encoding is not None:
        from pipeline.data.images import open_images

        # Each image is compared with its digest whenever it is read.
        files = {part: preparation.files[part] for part in parts}
        return open_images(config, files, preparation.encoding)
    source = read_source(config, parts)
    for name in sorted(parts):
        part = source.parts.get(name)
        if part is None or digest_part(part) != preparation.part_digests[name]:
            advice = "run the whole chain again, or put the old data back"
            if config.source.startswith("python:"):
                advice = "the function must return the same arrays each time it is called"
            raise DataError(
                f"{source.origin}: the {name} arrays changed after they were prepared; {advice}"
            )
    return source


def _load_split(
    source: SourceArrays, preparation: Preparation, encoding: Encoding | None, name: str
) -> Split:
    part, indices = source.parts[preparation.split_parts[name]], preparation.indices[name]
    x = _load_samples(source.kind, part.x, preparation, encoding, indices)
    task = preparation.task
    if task.name == "reconstruction":
        return Split(x, x)
    if not task.kind.has_answers:
        return Split(x, None)
    y = encode_labels(task.name, np.asarray(part.y), task.class_names)[indices]
    return Split(x, standardize_targets(task, y) if task.name == "regression" else y)


def _load_samples(
    kind: str,
    x: Samples,
    preparation: Preparation,
    encoding: Encoding | None,
    indices: np.ndarray,
) -> Samples:
    if encoding is not None:
        return encoding.apply(x, indices)
    affine = preparation.affine if preparation.placement == "sidecar" else None
    if kind == "images":
        from pipeline.data.images import ScaledImages

        return ScaledImages(x, indices, affine)
    # Sorted and without repetition: all of them need no gather.
    rows = x[:] if len(indices) == len(x) else x[indices]
    return rows.astype(preparation.input_dtype) if affine is None else affine.apply(rows)
