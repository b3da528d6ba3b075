"""Seeded, disjoint splits, as indices: stratified by class, or at random without classes."""

from __future__ import annotations

import numpy as np

from pipeline.errors import DataError


def split_indices(
    y: np.ndarray, fractions: dict[str, float], class_names: tuple[str, ...], seed: int
) -> dict[str, np.ndarray]:
    """Cuts splits out of one labelled set; what is left is the training split.

    Each class is cut in proportion, by largest remainders, so that the split's size is the
    rounded fraction of the whole; every split has every class.

    Args:
        y: int64 (n,), class indices.
        fractions: name of each split to cut → its fraction of n, in (0, 1), sum below 1.
        class_names: for messages.
        seed: ≥ 0.

    Returns:
        Each name of `fractions`, and "train" → sorted int64 indices into y; disjoint, and
        together all of them.

    Raises:
        DataError: a class has fewer samples than there are splits.
    """
    counts = np.bincount(y, minlength=len(class_names))
    _check_counts(counts, fractions, class_names)
    queues = _shuffled_by_class(y, np.arange(len(y)), len(class_names), seed)
    used = np.zeros_like(counts)
    cut: dict[str, np.ndarray] = {}
    for later, (name, fraction) in zip(
        range(len(fractions), 0, -1), fractions.items(), strict=True
    ):
        total = max(round(len(y) * fraction), len(counts))
        # `later` splits, training included, still need one sample of each class.
        amounts = allocate(counts, total, counts - used - later)
        cut[name] = _take(queues, used, amounts)
        used += amounts
    cut["train"] = _take(queues, used, counts - used)
    return cut


def stratified_sample(
    y: np.ndarray, indices: np.ndarray, count: int, num_classes: int, seed: int
) -> np.ndarray:
    """Chooses `count` of `indices` in the proportions of their classes, at least one of each.

    Args:
        y: int64 (n,), class indices.
        indices: int64 (m,), candidates; each class occurs.
        count: how many to keep; all when m is no more.
        num_classes: number of classes.
        seed: ≥ 0.

    Returns:
        Sorted int64 indices into y.

    Raises:
        DataError: fewer samples asked for than there are classes.
    """
    if count >= len(indices):
        return indices
    if count < num_classes:
        raise DataError(
            f"data.max_train_samples is {count}; expected at least {num_classes}, one per class"
        )
    counts = np.bincount(y[indices], minlength=num_classes)
    queues = _shuffled_by_class(y, indices, num_classes, seed)
    return _take(queues, np.zeros_like(counts), allocate(counts, count, counts))


def split_randomly(n: int, fractions: dict[str, float], seed: int) -> dict[str, np.ndarray]:
    """Cuts splits at random out of n samples; what is left is the training split.

    Args:
        n: number of samples.
        fractions: as for split_indices.
        seed: ≥ 0.

    Returns:
        Each name of `fractions`, and "train" → sorted int64 indices below n; disjoint, together
        all of them, none empty.

    Raises:
        DataError: fewer samples than splits.
    """
    if n < 1 + len(fractions):
        raise DataError(
            f"received {n} samples; expected at least {1 + len(fractions)}, one for each of "
            f"{', '.join(['train', *fractions])}"
        )
    order = np.random.default_rng(seed).permutation(n)
    cut: dict[str, np.ndarray] = {}
    for later, (name, fraction) in zip(
        range(len(fractions), 0, -1), fractions.items(), strict=True
    ):
        size = min(max(round(n * fraction), 1), len(order) - later)
        cut[name], order = np.sort(order[:size]).astype(np.int64), order[size:]
    cut["train"] = np.sort(order).astype(np.int64)
    return cut


def random_sample(indices: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Chooses `count` of `indices` at random, all when there are no more; sorted."""
    if count >= len(indices):
        return indices
    return np.sort(np.random.default_rng(seed).permutation(indices)[:count])


def allocate(counts: np.ndarray, total: int, upper: np.ndarray) -> np.ndarray:
    """Shares `total` among classes in proportion, by largest remainders, each in [1, upper].

    Args:
        counts: int64 (k,), samples of each class, ≥ 1.
        total: to be shared, ≥ k; less is given out when the upper bounds sum to less.
        upper: int64 (k,), ≥ 1.

    Returns:
        int64 (k,), whose sum is `total` where the bounds allow it.
    """
    quota = counts * (total / counts.sum())
    given = np.clip(np.floor(quota).astype(np.int64), 1, upper)
    while (rest := total - int(given.sum())) != 0:
        step = 1 if rest > 0 else -1
        open_classes = np.flatnonzero(given < upper if rest > 0 else given > 1)
        if len(open_classes) == 0:
            break
        # A stable sort: equal remainders go to the lower class first.
        order = np.argsort(-step * (quota - given)[open_classes], kind="stable")
        given[open_classes[order[: abs(rest)]]] += step
    return given


def _check_counts(
    counts: np.ndarray, fractions: dict[str, float], class_names: tuple[str, ...]
) -> None:
    smallest, needed = int(np.argmin(counts)), 1 + len(fractions)
    if counts[smallest] < needed:
        raise DataError(
            f"class {smallest} ({class_names[smallest]}) has {counts[smallest]} samples; expected "
            f"at least {needed}, one for each of {', '.join(['train', *fractions])}; add samples "
            f"or give these splits as arrays of their own"
        )


def _shuffled_by_class(
    y: np.ndarray, indices: np.ndarray, num_classes: int, seed: int
) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = y[indices]
    return [rng.permutation(indices[labels == label]) for label in range(num_classes)]


def _take(queues: list[np.ndarray], used: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    taken = [q[u : u + a] for q, u, a in zip(queues, used, amounts, strict=True)]
    return np.sort(np.concatenate(taken)).astype(np.int64)
