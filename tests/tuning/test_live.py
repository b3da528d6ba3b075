"""The table that one sees while a search runs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.progress import SilentProgress
from pipeline.tuning.ledger import TrialRecord
from pipeline.tuning.live import LiveView, duration, short_values
from pipeline.tuning.objective import Rule


class Watched(SilentProgress):
    """Remembers what was shown."""

    def __init__(self) -> None:
        self.tables: list[tuple[list[tuple[str, ...]], str]] = []
        self.done: list[tuple[int, dict[str, float]]] = []

    def advance(self, amount: int = 1, **figures: float) -> None:
        self.done.append((amount, figures))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> None:
        assert all(len(row) == len(columns) for row in rows)
        self.tables.append(([tuple(row) for row in rows], caption))


def test_the_best_and_the_running_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 130.0, 130.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    watched = Watched()
    view = LiveView(watched, Rule("val_accuracy"), total=10, epochs=4)
    view.begin(done=1)
    ended = {"val_accuracy": 0.75, "epochs_run": 4, "seconds": 9}
    best = {"a.rate": 0.001234567, "a.units": [8]}
    records = [
        TrialRecord("0000", {"a.b": 1}, 4, status="failed", error="no"),
        TrialRecord("0001", best, 4, status="ended", metrics=ended),
        TrialRecord("0002", {}, 4, status="ended", metrics={**ended, "val_accuracy": 0.5}),
        TrialRecord("0003", {}, 4, status="leased", epochs_seen=[{"val_accuracy": 0.25}]),
        TrialRecord("0004", {}, 4),
    ]  # fmt: skip
    view.advance(records)
    assert watched.done == [(1, {}), (1, {"best_val_accuracy": 0.75})]
    rows, caption = watched.tables[-1]
    assert rows == [
        ("0001", "best", "4/4", "0.75", "rate 0.001235, units [8]"),
        ("0003", "running", "1/4", "0.25", ""),
    ]
    # two trials in 30 s in this sitting, seven to go
    assert caption == "3 of 10 done · 1 running · 1 failed · about 2 min left"


@pytest.mark.parametrize(("seconds", "words"), [(12.4, "12 s"), (600, "10 min"), (7200, "2.0 h")])
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_values_are_short() -> None:
    assert short_values({"train.batch_size": 32, "model.dropout": 0.25}) == (
        "batch_size 32, dropout 0.25"
    )
