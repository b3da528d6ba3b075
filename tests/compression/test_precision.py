"""Bits given out by harm per byte, on tables that can be computed by hand."""

from __future__ import annotations

import numpy as np

from pipeline.compression.precision import find_furthest, greedy_path


def test_the_cheapest_step_comes_first() -> None:
    # Layer 0: 0.1 for 100 bytes, then 0.5 more for 50 more; layer 1: 0.3 for 100, 0.4 for 150.
    harm = np.array([[0.0, 0.1, 0.6], [0.0, 0.3, 0.4]])
    saved = np.array([[0.0, 100.0, 150.0], [0.0, 100.0, 150.0]])
    # 0.001 a byte; then layer 1 at once to its last choice: 0.4 / 150 < 0.3 / 100; then 0.01.
    assert [list(step) for step in greedy_path(harm, saved)] == [[0, 0], [1, 0], [1, 2], [2, 2]]


def test_what_saves_nothing_or_cannot_be_is_left() -> None:
    harm = np.array([[0.0, -0.2, 0.0], [0.0, np.nan, 0.1], [0.0, 0.0, 0.0]])
    saved = np.array([[0.0, 10.0, 10.0], [0.0, 50.0, 20.0], [0.0, -3.0, 0.0]])
    # A loss that falls costs nothing; the impossible choice is not taken, however much it saves.
    assert [list(step) for step in greedy_path(harm, saved)] == [[0, 0, 0], [1, 0, 0], [1, 2, 0]]


def test_of_free_steps_the_one_that_saves_most() -> None:
    harm = np.zeros((2, 2))
    saved = np.array([[0.0, 10.0], [0.0, 30.0]])
    assert [list(step) for step in greedy_path(harm, saved)] == [[0, 0], [0, 1], [1, 1]]


def test_furthest_by_bisection() -> None:
    asked: list[int] = []

    def below(limit: int, place: int) -> bool:
        asked.append(place)
        return place < limit

    for limit in range(1, 9):
        assert find_furthest(8, lambda place, limit=limit: below(limit, place)) == limit - 1
    asked.clear()
    assert find_furthest(1000, lambda place: below(701, place)) == 700
    assert len(asked) <= 12
    assert find_furthest(5, lambda place: False) is None
    assert find_furthest(1, lambda place: True) == 0
