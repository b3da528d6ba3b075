"""How long several calls take, timed in turn: what disturbs one disturbs the others too."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

# Of one call in one turn: enough for a median, not so long that the machine changes meanwhile.
TURN_SECONDS = 0.05
FEWEST_RUNS = 5
MOST_RUNS = 500


def time_in_turn(calls: Sequence[Callable[[], object]], turns: int) -> list[float]:
    """Times calls against each other.

    Args:
        calls: what is timed.
        turns: how often each has its turn, at least 1; one more before them warms it up.

    Returns:
        For each call milliseconds: the least over its turns of the median in a turn. Whatever
        else runs on the machine only ever adds time, so the least is nearest to the call alone.
    """
    runs = [_runs_in_a_turn(call) for call in calls]
    medians = np.empty((turns, len(calls)))
    for turn in range(turns):
        for number, call in enumerate(calls):
            medians[turn, number] = np.median(time_runs(call, runs[number]))
    return [float(value) for value in medians.min(axis=0)]


def _runs_in_a_turn(call: Callable[[], object]) -> int:
    call()
    alone = float(np.median(time_runs(call, FEWEST_RUNS)))
    runs = round(1000 * TURN_SECONDS / max(alone, 1e-6))
    return min(max(runs, FEWEST_RUNS), MOST_RUNS)


def time_runs(call: Callable[[], object], runs: int) -> np.ndarray:
    """Returns the milliseconds of each of some runs in a row, float64 (runs,)."""
    times = np.empty(runs, np.int64)
    for run in range(runs):
        start = time.perf_counter_ns()
        call()
        times[run] = time.perf_counter_ns() - start
    return times / 1e6
