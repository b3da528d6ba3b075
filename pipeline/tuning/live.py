"""What one sees of a search while it runs: the best trial, those that run, and the time left."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.tuning.ledger import TrialRecord
from pipeline.tuning.objective import Rule

if TYPE_CHECKING:
    from pipeline.progress import Progress

COLUMNS = ("trial", "state", "epoch", "objective", "hyperparameters")


@dataclass
class LiveView:
    """Keeps a progress display up to date.

    Attributes:
        progress: where it is shown.
        rule: names the objective.
        total: trials of the whole search.
        epochs: of a whole trial.
    """

    progress: Progress
    rule: Rule
    total: int
    epochs: int

    def begin(self, done: int) -> None:
        """Opens the bar; `done` trials were finished in earlier sittings."""
        self._began, self._before = time.monotonic(), done
        self.progress.begin("tune", self.total, "trials")
        if done:
            self.progress.advance(done)

    def advance(self, records: Sequence[TrialRecord]) -> None:
        """Counts a finished trial."""
        best = best_of(records, self.rule)
        figure = {} if best is None else {f"best_{self.rule.objective}": self._score(best)}
        self.progress.advance(1, **figure)
        self.show(records)

    def show(self, records: Sequence[TrialRecord]) -> None:
        """Shows the best trial and those that run."""
        best = best_of(records, self.rule)
        running = [record for record in records if record.status == "leased"]
        rows = [] if best is None else [self._row(best, "best")]
        rows += [self._row(record, "running") for record in running]
        self.progress.table(COLUMNS, rows, self._caption(records, len(running)))

    def _row(self, record: TrialRecord, state: str) -> tuple[str, ...]:
        last = record.epochs_seen[-1] if record.epochs_seen else {}
        figure = (record.metrics or last).get(self.rule.objective)
        epochs = record.metrics.get("epochs_run", len(record.epochs_seen))
        return (
            record.trial,
            state,
            f"{int(epochs)}/{max(self.epochs, int(epochs))}",
            "" if figure is None else f"{figure:.5g}",
            short_values(record.hyperparameters),
        )

    def _caption(self, records: Sequence[TrialRecord], running: int) -> str:
        done = sum(record.finished for record in records)
        failed = sum(record.status == "failed" for record in records)
        words = [f"{done} of {self.total} done", f"{running} running", f"{failed} failed"]
        sitting = done - self._before
        if sitting > 0 and done < self.total:
            left = (time.monotonic() - self._began) / sitting * (self.total - done)
            words.append(f"about {duration(left)} left")
        return " · ".join(words)

    def _score(self, record: TrialRecord) -> float:
        return record.metrics[self.rule.objective]


def best_of(records: Sequence[TrialRecord], rule: Rule) -> TrialRecord | None:
    """Returns the best trial that has ended, None before the first."""
    ended = [record for record in records if record.status == "ended"]
    return min(ended, key=lambda record: rule.rank(record.metrics)) if ended else None


def short_values(hyperparameters: Mapping[str, Any]) -> str:
    """Returns values by the last part of their path: "learning_rate 0.003, units [64]"."""
    return ", ".join(
        f"{path.rpartition('.')[2]} {f'{value:.4g}' if isinstance(value, float) else value}"
        for path, value in hyperparameters.items()
    )


def duration(seconds: float) -> str:
    """Returns seconds in the unit that one would say."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
