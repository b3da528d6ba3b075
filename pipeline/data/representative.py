"""Representative samples: what the converter calibrates its ranges on."""

from __future__ import annotations

import numpy as np

from pipeline.errors import ConfigError


def choose_representative(y: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Chooses training samples, as many of each class as of any other where there are enough.

    Args:
        y: int64 (n,), the training split's labels.
        count: how many, ≥ 1; all samples when n is no more.
        seed: ≥ 0.

    Returns:
        Sorted int64 (min(count, n),), without repetition.

    Raises:
        ConfigError: count below 1.
    """
    if count < 1:
        raise ConfigError(f"quantize.representative_samples is {count}; expected at least 1")
    order = np.random.default_rng(seed).permutation(len(y))
    # Rank of each sample among those of its class, in shuffled order: taking lower ranks first
    # visits the classes in turn, and a class that runs out leaves its share to the others.
    rank = np.empty(len(y), np.int64)
    for label in np.unique(y):
        members = np.flatnonzero(y[order] == label)
        rank[members] = np.arange(len(members))
    chosen = order[np.argsort(rank, kind="stable")[:count]]
    return np.sort(chosen).astype(np.int64)
