"""From the outcomes of all trainings to the figures that are told: plain arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any

from pipeline.optimizer_study.intervals import estimate
from pipeline.optimizer_study.target import epochs_to, lowest_loss

Outcome = Mapping[str, Any]


def summarize_optimizer(
    outcomes: Sequence[Outcome],
    seeds: int,
    target_loss: float,
    steps_per_epoch: int,
    metric: str,
    higher_is_better: bool,
) -> dict[str, Any]:
    """Returns the figures of one optimizer, each with its 95 % interval over seeds.

    Args:
        outcomes: its finished trainings, in the order of the seeds.
        seeds: how many were asked for; those that failed are missing from `outcomes`.
        target_loss: validation loss that counts as converged.
        steps_per_epoch: optimizer steps.
        metric: of the task.
        higher_is_better: of the metric.

    Returns:
        JSON types. Gaps are positive where validation data fares worse than training data.
    """
    low, high = (0.0, 1.0) if metric == "accuracy" else (0.0, math.inf)
    sign = 1.0 if higher_is_better else -1.0
    train, validation = [o["train"] for o in outcomes], [o["validation"] for o in outcomes]
    pairs = list(zip(train, validation, strict=True))
    steps = [o["step_seconds"] for o in outcomes if o["step_seconds"] is not None]
    return {
        "trained": len(outcomes),
        "val_loss": estimate([v["loss"] for v in validation], 0.0),
        f"val_{metric}": estimate([v[metric] for v in validation], low, high),
        "lowest_val_loss": estimate([lowest_loss(o["history"]) for o in outcomes], 0.0),
        "train_loss": estimate([t["loss"] for t in train], 0.0),
        f"train_{metric}": estimate([t[metric] for t in train], low, high),
        "gap_loss": estimate([v["loss"] - t["loss"] for t, v in pairs]),
        f"gap_{metric}": estimate([sign * (t[metric] - v[metric]) for t, v in pairs]),
        "target": _convergence(outcomes, seeds, target_loss, steps_per_epoch),
        "step_seconds": estimate(steps, 0.0),
        "state_bytes": outcomes[0]["state_bytes"] if outcomes else None,
    }


def _convergence(
    outcomes: Sequence[Outcome], seeds: int, loss: float, steps_per_epoch: int
) -> dict[str, Any]:
    """Epochs and seconds to the target; a mean only where every training reached it.

    The seconds are those of the optimizer's steps alone: epochs × steps × the training's own
    median time of a step, so that tracing, validation and checkpoints stay out.
    """
    epochs = [epochs_to(outcome["history"], loss) for outcome in outcomes]
    reached = [epoch for epoch in epochs if epoch is not None]
    everywhere = len(reached) == seeds
    timed = everywhere and all(o["step_seconds"] is not None for o in outcomes)
    seconds = [
        epoch * steps_per_epoch * outcome["step_seconds"]
        for epoch, outcome in zip(epochs, outcomes, strict=True)
        if timed and epoch is not None
    ]
    return {
        "reached": len(reached),
        "of": seeds,
        "epochs": estimate([float(epoch) for epoch in reached], 1.0) if everywhere else None,
        "seconds": estimate(seconds, 0.0) if timed else None,
    }


def paired_differences(outcomes: Mapping[str, Mapping[int, Outcome]]) -> dict[str, Any] | None:
    """Compares each optimizer with the best one seed by seed, in final validation loss.

    Equal seeds mean equal initial weights and order of samples, so what a seed does to all of
    them alike falls out of the differences: their intervals tell more than two intervals side
    by side.

    Args:
        outcomes: label → seed → outcome of each training that ended.

    Returns:
        {"best": label with the lowest mean, "others": [{"label", "difference": Estimate}, …]},
        difference = loss − the best's, over the seeds that both finished. None with fewer than
        two optimizers.
    """
    losses = {
        label: {seed: float(outcome["validation"]["loss"]) for seed, outcome in trained.items()}
        for label, trained in outcomes.items()
        if trained
    }
    if len(losses) < 2:
        return None
    best = min(losses, key=lambda label: fmean(losses[label].values()))
    others = [
        {
            "label": label,
            "difference": estimate([own[s] - losses[best][s] for s in own if s in losses[best]]),
        }
        for label, own in losses.items()
        if label != best
    ]
    return {"best": best, "others": others}


def median_curve(
    histories: Sequence[Sequence[Mapping[str, float]]], key: str
) -> list[tuple[float, float, float, float]]:
    """Returns (epoch, median, lowest, highest) over the seeds for each epoch that all have."""
    curve = []
    for rows in zip(*histories, strict=False):
        values = [row[key] for row in rows]
        curve.append((rows[0]["epoch"], median(values), min(values), max(values)))
    return curve
