"""Curves of damage: measured one part at a time, everything put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.progress import SilentProgress
from pipeline.training.sensitivity import measure_curves


def test_each_point_is_the_rise_with_only_this_taken() -> None:
    taken = {"a": 0, "b": 0}

    @contextmanager
    def take(part: str, amount: int) -> Iterator[None]:
        taken[part] = amount
        yield
        taken[part] = 0

    damages = [{n: lambda p=p, n=n: take(p, n) for n in (1, 3)} for p in ("a", "b")]  # type: ignore[misc]
    curves = measure_curves(lambda: 5.0 + taken["a"] + 10 * taken["b"], damages, SilentProgress())
    assert curves == [{1: 1.0, 3: 3.0}, {1: 10.0, 3: 30.0}]
