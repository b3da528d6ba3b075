"""From a source to splits (once, recorded), and from the record to samples (by every stage)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.data.arrays import SourceArrays, digest_part
from pipeline.data.duplicates import count_duplicates, hash_rows
from pipeline.data.encodings import fit_encoding
from pipeline.data.keras_sets import KERAS_SETS
from pipeline.data.labels import make_task
from pipeline.data.load import load_data
from pipeline.data.preparation import Preparation, save_preparation
from pipeline.data.prepared import SPLITS
from pipeline.data.preprocessing import Affine, fit_affine
from pipeline.data.sources import read_source
from pipeline.data.splits import random_sample, split_indices, split_randomly, stratified_sample
from pipeline.data.validate import validate_source
from pipeline.tasks.task import TASKS

if TYPE_CHECKING:
    from pipeline.config.data import DataConfig

__all__ = ["Preparation", "load_data", "prepare_data", "save_preparation"]

PIXEL_SCALE = 1 / 255


def prepare_data(
    config: DataConfig, seed: int, planned: dict[str, Any] | None = None
) -> Preparation:
    """Reads and checks the source, splits it, and fits all that is fitted on the training split.

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
    raw = read_source(config, None, expected)
    # Digested as read, so that load_data can compare without validating again.
    part_digests = {name: digest_part(part) for name, part in raw.parts.items()}
    source = validate_source(raw, config.task)
    split_parts, indices = _assign_splits(config, source, seed)
    train, chosen = source.parts[split_parts["train"]], indices["train"]
    encoding = fit_encoding(source.kind, config, train.x, chosen)
    first = train.x[:1] if encoding is None else encoding.apply(train.x, chosen[:1])
    y = None if train.y is None else train.y[chosen]
    return Preparation(
        source=config.source,
        task=make_task(
            config.task, source.class_names or (), y, first.shape[1:], config.standardize_targets
        ),
        input_shape=first.shape[1:],
        input_dtype="int32" if source.kind in ("tokens", "text") else "float32",
        part_digests=part_digests,
        split_parts=split_parts,
        indices=indices,
        class_counts=_class_counts(config.task, source, split_parts, indices),
        duplicates=_duplicates(source, split_parts, indices),
        affine=_fit_affine(config, train.x, chosen),
        placement=config.preprocessing.placement,
        encoding=_describe_encoding(config, source, train.x if encoding is None else encoding),
        files=_files(source),
    )


def _describe_encoding(
    config: DataConfig, source: SourceArrays, encoding: Any
) -> dict[str, Any] | None:
    """Returns how raw samples become numbers, as the sidecar tells it; None for plain arrays."""
    if source.kind == "array":
        return None
    if source.kind != "tokens":
        described: dict[str, Any] = encoding.to_json()
        return described
    if config.source in KERAS_SETS:
        tokens = config.keras.max_tokens
    else:
        tokens = 1 + max(int(part.x.max()) for part in source.parts.values())
    return {"kind": "tokens", "tokens": tokens}


def _fit_affine(config: DataConfig, x: Any, indices: np.ndarray) -> Affine | None:
    kind, given = config.preprocessing_kind, config.preprocessing
    if kind == "none":
        return None
    if kind == "rescale" and given.scale is None and config.sample_kind == "images":
        return Affine(PIXEL_SCALE, given.offset)  # the range is known: no image has to be decoded
    return fit_affine(given.model_copy(update={"kind": kind}), x, indices)


def _assign_splits(
    config: DataConfig, source: SourceArrays, seed: int
) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Cuts the splits that the source does not bring; returns split → part, split → indices."""
    pool = "train" if "train" in source.parts else "all"
    fractions = {"test": config.test_fraction, "validation": config.validation_fraction}
    missing = {name: value for name, value in fractions.items() if name not in source.parts}
    part, wanted = source.parts[pool], config.max_train_samples
    if part.y is not None and TASKS[config.task].has_labels:
        names = source.class_names or ()
        cut = split_indices(part.y, missing, names, seed)
        if wanted is not None:
            cut["train"] = stratified_sample(part.y, cut["train"], wanted, len(names), seed)
    else:
        cut = split_randomly(len(part.x), missing, seed)
        if wanted is not None:
            cut["train"] = random_sample(cut["train"], wanted, seed)
    split_parts = {name: pool if name in cut else name for name in SPLITS}
    indices = {
        name: cut[name] if name in cut else np.arange(len(source.parts[name].x), dtype=np.int64)
        for name in SPLITS
    }
    return split_parts, indices


def _class_counts(
    task: str,
    source: SourceArrays,
    split_parts: dict[str, str],
    indices: dict[str, np.ndarray],
) -> dict[str, tuple[int, ...]]:
    """Samples of each class, or positives of each label; {} where there are neither."""
    if task == "regression" or not TASKS[task].has_answers:
        return {}
    counts = {}
    for name in SPLITS:
        y = source.parts[split_parts[name]].y[indices[name]]  # type: ignore[index]
        if task == "multi_label":
            counts[name] = tuple(int(positives) for positives in y.sum(axis=0))
        else:
            classes = len(source.class_names or ())
            counts[name] = tuple(np.bincount(y, minlength=classes).tolist())
    return counts


def _duplicates(
    source: SourceArrays, split_parts: dict[str, str], indices: dict[str, np.ndarray]
) -> dict[str, int]:
    dtype = None
    if source.kind not in ("table", "text"):
        dtype = np.result_type(*(part.x.dtype for part in source.parts.values()))
    return count_duplicates(
        {
            name: hash_rows(source.parts[split_parts[name]].x, indices[name], dtype)
            for name in SPLITS
        }
    )


def _files(source: SourceArrays) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]] | None:
    if source.kind != "images":
        return None
    return {name: (part.x.names, part.x.digests) for name, part in source.parts.items()}
