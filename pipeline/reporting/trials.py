"""The trials of a search as the report tells them: the best so far, and when it was reached."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.reporting.tables import is_minimized
from pipeline.reporting.units import is_number


def build_trials(
    tune: Mapping[str, Any] | None, importance: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """The search: each trial with the best score up to it, and the time at which it was over.

    Args:
        tune: metrics of the stage tune; None when the chain has none.
        importance: of the hyperparameters, as `measure_importance` returns it, or None.

    Returns:
        the metrics without their history, with `minimized`, `clock` ("wall" where the trials
        tell when they began, "added" where only their seconds are known and are added up),
        `search_seconds` and `importance`; each trial has `best_so_far` (None until one
        has succeeded) and `elapsed`
        in seconds.
    """
    if tune is None:
        return None
    minimized = is_minimized(tune["objective"])
    better = min if minimized else max
    clock, elapsed = measure_elapsed(tune["trials"])
    best: float | None = None
    trials: list[dict[str, Any]] = [{} for _ in elapsed]
    for place in sorted(range(len(elapsed)), key=elapsed.__getitem__):
        trial = tune["trials"][place]
        score = trial["score"]
        if trial["status"] != "failed" and is_number(score) and trial.get("feasible", True):
            best = score if best is None else better(best, score)
        trials[place] = {**trial, "best_so_far": best, "elapsed": elapsed[place]}
    rest = {key: value for key, value in tune.items() if key not in ("history", "trials")}
    return {
        **rest,
        "minimized": minimized,
        "clock": clock,
        "search_seconds": max(elapsed, default=0.0),
        "importance": importance,
        "trials": trials,
    }


def measure_elapsed(trials: Sequence[Mapping[str, Any]]) -> tuple[str, list[float]]:
    """When each trial was over, in seconds since the search began.

    Trials that ran side by side need the clock (`started_seconds` since the search began);
    without it their own seconds are added up, as one worker would have spent them.
    """
    spent = [trial["seconds"] if is_number(trial["seconds"]) else 0.0 for trial in trials]
    told = [trial.get("started_seconds") for trial in trials]
    starts = [float(start) for start in told if start is not None and is_number(start)]
    if trials and len(starts) == len(trials):
        return "wall", [start + own for start, own in zip(starts, spent, strict=True)]
    return "added", list(itertools.accumulate(spent))
