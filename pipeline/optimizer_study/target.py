"""The validation loss that counts as converged, and when each training reached it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any

# The share of the way from the untrained loss to the best optimizer's lowest.
TARGET_SHARE = 0.9
RULE = (
    f"{100 * TARGET_SHARE:.0f} % of the way from the untrained model's validation loss down to the "
    "lowest that the best optimizer's median training reached"
)


def choose_target(
    untrained: Sequence[float], outcomes: Mapping[str, Sequence[Mapping[str, Any]]]
) -> float:
    """Returns the loss that the rule above gives.

    The untrained loss belongs to no optimizer, and a single lucky seed does not move the
    median; an optimizer that hardly learns does not move the target: it just misses it.

    Args:
        untrained: validation loss before training, one per seed.
        outcomes: label → outcomes of its finished trainings; at least one in all.
    """
    start = fmean(untrained)
    lowest = min(
        median(lowest_loss(outcome["history"]) for outcome in trained)
        for trained in outcomes.values()
        if trained
    )
    return start - TARGET_SHARE * (start - lowest)


def lowest_loss(history: Sequence[Mapping[str, float]]) -> float:
    """Returns the lowest validation loss of a training."""
    return min(row["val_loss"] for row in history)


def epochs_to(history: Sequence[Mapping[str, float]], loss: float) -> int | None:
    """Returns the first epoch (1-based) whose validation loss is at most `loss`, or None."""
    reached = (int(row["epoch"]) for row in history if row["val_loss"] <= loss)
    return next(reached, None)
