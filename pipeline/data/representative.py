"""Representative samples: what the converter calibrates its ranges on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.data.prepared import Split
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.tasks.task import Task


def choose_representative(split: Split, task: Task, count: int, seed: int) -> np.ndarray:
    """Chooses samples: as many of each class as of any other where a sample has one class.

    Args:
        split: n samples, of which only the labels are looked at.
        task: what the labels are; at random for tasks without one class per sample.
        count: how many, ≥ 1; all samples when n is no more.
        seed: ≥ 0.

    Returns:
        Sorted int64 (min(count, n),), without repetition.

    Raises:
        ConfigError: count below 1.
    """
    if count < 1:
        raise ConfigError(f"quantize.representative_samples is {count}; expected at least 1")
    order = np.random.default_rng(seed).permutation(len(split))
    if not task.has_labels:
        return np.sort(order[:count]).astype(np.int64)
    # Rank of each sample among those of its class, in shuffled order: taking lower ranks first
    # visits the classes in turn, and a class that runs out leaves its share to the others.
    labels = split.y[order]
    rank = np.empty(len(order), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        rank[members] = np.arange(len(members))
    chosen = order[np.argsort(rank, kind="stable")[:count]]
    return np.sort(chosen).astype(np.int64)


def take_representative(split: Split, task: Task, count: int, seed: int) -> Split:
    """Returns the samples that `choose_representative` chooses, with their answers."""
    rows = choose_representative(split, task, count, seed)
    return Split(split.x[rows], split.y[rows])
