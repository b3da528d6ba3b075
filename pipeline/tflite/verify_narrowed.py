"""The promise of narrowing, counted in the `.tflite` file: the smaller shapes are in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import PromiseError
from pipeline.tflite.inspect import inspect


def check_narrowed(path: Path, whole: Path, macs: Mapping[str, int | None]) -> None:
    """Checks that a file has only the narrowed model's kernels and multiply-accumulates.

    Args:
        path: file of the narrowed model, or of what later stages made of it.
        whole: float file of the model that `narrow` was given.
        macs: "before" and "after", counted in the Keras models for one sample; null where they
            are not known.

    Raises:
        PromiseError: both counts.
        ArtifactError: a file is missing or torn.
    """
    found, before = inspect(path), inspect(whole)
    elements = [
        sum(weight.counts.parameters for weight in file.kernels) for file in (found, before)
    ]
    if elements[0] >= elements[1]:
        raise PromiseError(
            f"narrow: {path.name} has {elements[0]} weights in its kernels, expected fewer than "
            f"the {elements[1]} of {whole.name}; report this model"
        )
    # A file may have several samples in a call, or operators that are counted otherwise.
    calls, rest = divmod(before.total_macs, macs["before"] or before.total_macs + 1)
    if rest or macs["after"] is None:
        return
    if found.total_macs > calls * macs["after"]:
        raise PromiseError(
            f"narrow: {path.name} has {found.total_macs} multiply-accumulates, expected at most "
            f"{calls * macs['after']}; report this model"
        )
