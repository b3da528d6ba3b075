"""From a source to splits (once, recorded), and from the record to arrays (by every stage)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.data.arrays import SourceArrays, digest_part
from pipeline.data.duplicates import count_duplicates, hash_rows
from pipeline.data.preparation import Preparation, load_preparation, save_preparation
from pipeline.data.prepared import SPLITS, PreparedData, Split
from pipeline.data.preprocessing import fit_affine
from pipeline.data.sources import read_source
from pipeline.data.splits import split_indices, stratified_sample
from pipeline.data.validate import validate_source
from pipeline.errors import ArtifactError, DataError

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.config.data import DataConfig

__all__ = ["Preparation", "load_data", "prepare_data", "save_preparation"]


def prepare_data(
    config: DataConfig, seed: int, planned: dict[str, Any] | None = None
) -> Preparation:
    """Reads and checks the source, splits it, and fits the preprocessing on the training split.

    Args:
        config: the data section.
        seed: ≥ 0; equal seeds give equal splits.
        planned: what fingerprint.describe_source said when the run was planned; a file that has
            changed since is refused. None to take the file as it is.

    Returns:
        The decisions; the samples stay in the source.

    Raises:
        DataError: the source cannot be used as it is.
    """
    expected = None if planned is None else planned.get("sha256")
    raw = read_source(config.source, config.path, None, expected)
    # Digested as read, so that load_data can compare without validating again.
    part_digests = {name: digest_part(part) for name, part in raw.parts.items()}
    source = validate_source(raw)
    class_names = source.class_names or ()
    split_parts, indices = _assign_splits(config, source, class_names, seed)
    train = source.parts[split_parts["train"]].x
    return Preparation(
        source=config.source,
        class_names=class_names,
        input_shape=train.shape[1:],
        part_digests=part_digests,
        split_parts=split_parts,
        indices=indices,
        class_counts=_class_counts(source, split_parts, indices, len(class_names)),
        duplicates=_duplicates(source, split_parts, indices),
        affine=fit_affine(config.preprocessing, train, indices["train"]),
        placement=config.preprocessing.placement,
    )


def load_data(config: DataConfig, directory: Path, splits: tuple[str, ...]) -> PreparedData:
    """Loads the asked splits; the parts of the source that they do not need stay unread.

    Args:
        config: the data section (source and path are used).
        directory: folder that save_preparation wrote.
        splits: of "train", "validation", "test".

    Returns:
        The splits in float32: mapped by the preprocessing when its placement is "sidecar", as in
        the source when it is "model".

    Raises:
        ArtifactError: the preparation is missing, torn, or of another source.
        DataError: the source's arrays are no longer those that were prepared.
    """
    preparation = load_preparation(directory)
    if preparation.source != config.source:
        raise ArtifactError(
            f"{directory}: was prepared from {preparation.source}, data.source is "
            f"{config.source}; prepare the data again"
        )
    if unknown := sorted(set(splits) - set(SPLITS)):
        raise ValueError(f"received splits {unknown}; expected some of {SPLITS}")
    parts = frozenset(preparation.split_parts[name] for name in splits)
    source = read_source(config.source, config.path, parts)
    for name in sorted(parts):
        if name not in source.parts or _changed(source, name, preparation):
            raise DataError(
                f"{source.origin}: the {name} arrays changed after they were prepared; "
                f"run the whole chain again, or put the old file back"
            )
    return PreparedData(
        splits={name: _load_split(source, preparation, name) for name in splits},
        class_names=preparation.class_names,
        input_shape=preparation.input_shape,
        preprocessing=preparation.affine,
        placement=preparation.placement,
    )


def _changed(source: SourceArrays, part: str, preparation: Preparation) -> bool:
    return digest_part(source.parts[part]) != preparation.part_digests[part]


def _load_split(source: SourceArrays, preparation: Preparation, name: str) -> Split:
    part, indices = source.parts[preparation.split_parts[name]], preparation.indices[name]
    whole = len(indices) == len(part.x)  # sorted and without repetition: no gather is needed
    x = part.x if whole else part.x[indices]
    y = part.y.reshape(-1) if whole else part.y.reshape(-1)[indices]
    affine = preparation.affine if preparation.placement == "sidecar" else None
    mapped = x.astype(np.float32) if affine is None else affine.apply(x)
    return Split(mapped, y.astype(np.int64))


def _assign_splits(
    config: DataConfig, source: SourceArrays, class_names: tuple[str, ...], seed: int
) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Cuts the splits that the source does not bring; returns split → part, split → indices."""
    pool = "train" if "train" in source.parts else "all"
    fractions = {"test": config.test_fraction, "validation": config.validation_fraction}
    missing = {name: value for name, value in fractions.items() if name not in source.parts}
    y = source.parts[pool].y
    cut = split_indices(y, missing, class_names, seed)
    if config.max_train_samples is not None:
        cut["train"] = stratified_sample(
            y, cut["train"], config.max_train_samples, len(class_names), seed
        )
    split_parts = {name: pool if name in cut else name for name in SPLITS}
    indices = {
        name: cut[name] if name in cut else np.arange(len(source.parts[name].y), dtype=np.int64)
        for name in SPLITS
    }
    return split_parts, indices


def _class_counts(
    source: SourceArrays,
    split_parts: dict[str, str],
    indices: dict[str, np.ndarray],
    num_classes: int,
) -> dict[str, tuple[int, ...]]:
    labels = {name: source.parts[split_parts[name]].y[indices[name]] for name in SPLITS}
    return {
        name: tuple(np.bincount(y, minlength=num_classes).tolist()) for name, y in labels.items()
    }


def _duplicates(
    source: SourceArrays, split_parts: dict[str, str], indices: dict[str, np.ndarray]
) -> dict[str, int]:
    dtype = np.result_type(*(part.x.dtype for part in source.parts.values()))
    return count_duplicates(
        {
            name: hash_rows(source.parts[split_parts[name]].x, indices[name], dtype)
            for name in SPLITS
        }
    )
