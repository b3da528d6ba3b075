"""Curves of damage: measured one part at a time, everything put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.artifacts.measurements import Measurements
from pipeline.progress import SilentProgress
from pipeline.training.sensitivity import Damage, measure_curves


class Parts:
    """Two parts, a and b, of which something can be taken; the calls of `loss` are counted."""

    def __init__(self, killed_at: int = 0) -> None:
        self.taken = {"a": 0, "b": 0}
        self.calls, self.killed_at = 0, killed_at

    def loss(self) -> float:
        self.calls += 1
        if self.calls == self.killed_at:
            raise KeyboardInterrupt
        return 5.0 + self.taken["a"] + 10 * self.taken["b"]

    @contextmanager
    def take(self, part: str, amount: int) -> Iterator[None]:
        self.taken[part] = amount
        yield
        self.taken[part] = 0

    def damages(self) -> list[dict[int, Damage]]:
        return [{n: lambda p=p, n=n: self.take(p, n) for n in (1, 3)} for p in ("a", "b")]  # type: ignore[misc]


CURVES = [{1: 1.0, 3: 3.0}, {1: 10.0, 3: 30.0}]


def test_each_point_is_the_rise_with_only_this_taken(known: Measurements) -> None:
    parts = Parts()
    assert measure_curves(parts.loss, parts.damages(), known, SilentProgress()) == CURVES
    assert parts.calls == 5


def test_a_killed_measurement_goes_on_after_its_last_loss(tmp_path: Path) -> None:
    path, killed, again = tmp_path / "sensitivity.json", Parts(killed_at=4), Parts()
    with pytest.raises(KeyboardInterrupt):
        measure_curves(killed.loss, killed.damages(), Measurements(path), SilentProgress())
    curves = measure_curves(again.loss, again.damages(), Measurements(path), SilentProgress())
    assert curves == CURVES
    assert again.calls == 2
