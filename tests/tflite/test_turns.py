"""Calls timed in turn, by a clock that only they move."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.tflite import turns
from pipeline.tflite.turns import FEWEST_RUNS, MOST_RUNS, time_in_turn


class Clock:
    """Stands still but for the calls."""

    def __init__(self) -> None:
        self.now = 0

    def perf_counter_ns(self) -> int:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(turns, "time", made)
    return made


def call(
    clock: Clock, milliseconds: Callable[[int], float]
) -> tuple[Callable[[], None], list[int]]:
    """Takes so long at each call, by its number; the list holds how many there were."""
    count = [0]

    def made() -> None:
        clock.now += round(1e6 * milliseconds(count[0]))
        count[0] += 1

    return made, count


def test_the_least_median_of_all_turns_is_taken(clock: Clock) -> None:
    # 10 ms fill a turn with 5 runs; after the warm-up of 6 the first turn is slow throughout.
    slow_first, _ = call(clock, lambda number: 30.0 if 6 <= number < 11 else 10.0)
    # Two of five runs are disturbed in every turn.
    disturbed, count = call(clock, lambda number: 99.0 if number % 5 in (0, 1) else 20.0)
    assert time_in_turn([slow_first, disturbed], turns=3) == [10.0, 20.0]
    assert count[0] == 1 + FEWEST_RUNS + 3 * FEWEST_RUNS


def test_short_calls_are_run_often_enough_but_not_for_ever(clock: Clock) -> None:
    middling, count = call(clock, lambda number: 1.0)
    shortest, most = call(clock, lambda number: 0.001)
    assert time_in_turn([middling, shortest], turns=1) == pytest.approx([1.0, 0.001])
    assert count[0] == 6 + 50 and most[0] == 6 + MOST_RUNS
