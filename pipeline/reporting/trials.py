"""The trials of a search as the report tells them: the best so far, and when it was reached."""

from __future__ import annotations

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
        tell when they ended, "added" where only their seconds are known and are added up) and
        `importance`; each trial has `best_so_far` (None until one has succeeded) and `elapsed`
        in seconds.
    """
    if tune is None:
        return None
    minimized = is_minimized(tune["objective"])
    better = min if minimized else max
    clock, elapsed = measure_elapsed(tune["trials"])
    best: float | None = None
    trials = []
    for trial, seconds in zip(tune["trials"], elapsed, strict=True):
        score = trial["score"]
        if trial["status"] != "failed" and is_number(score):
            best = score if best is None else better(best, score)
        trials.append({**trial, "best_so_far": best, "elapsed": seconds})
    rest = {key: value for key, value in tune.items() if key not in ("history", "trials")}
    return {
        **rest,
        "minimized": minimized,
        "clock": clock,
        "importance": importance,
        "trials": trials,
    }


def measure_elapsed(trials: Sequence[Mapping[str, Any]]) -> tuple[str, list[float]]:
    """When each trial was over, in seconds since the search began.

    Trials that ran side by side need the clock (`started` and `ended`, seconds since the
    epoch); without it their own seconds are added up, as one worker would have spent them.
    """
    starts = [trial.get("started") for trial in trials]
    ends = [trial.get("ended") for trial in trials]
    known = [start for start in starts if start is not None and is_number(start)]
    if trials and len(known) == len(trials) and all(map(is_number, ends)):
        return "wall", [end - min(known) for end in ends if end is not None]
    total, added = 0.0, []
    for trial in trials:
        total += trial["seconds"] if is_number(trial["seconds"]) else 0.0
        added.append(total)
    return "added", added
