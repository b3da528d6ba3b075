"""What a search found: every trial, and the best of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import PromiseError, TrainingError
from pipeline.tuning.ledger import TrialRecord
from pipeline.tuning.objective import Rule

# So many trials that fail alike, with none that ends, and the search stops.
SAME_FAILURES = 5


class FruitlessSearchError(TrainingError):
    """The trials themselves failed: going on with them would end in the same way."""


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        trials: one dict per trial in order: trial, hyperparameters, score (the objective, None
            if it failed), figures, feasible (keeps the constraints), epochs, status ("ended" or
            "failed"), seconds, started_seconds (since the search began), error.
        best: the winner's hyperparameters, path → value.
        best_trial: the winner's name; of equals the first.
        score: the winner's objective.
        figures: all of the winner's.
    """

    trials: list[dict[str, Any]]
    best: dict[str, Any]
    best_trial: str
    score: float
    figures: dict[str, float]


def summarize(records: Sequence[TrialRecord], rule: Rule) -> SearchResult:
    """Chooses the best of the finished trials.

    Raises:
        FruitlessSearchError: none ended with finite figures.
        PromiseError: none keeps the constraints.
    """
    ended = [record for record in records if record.status == "ended"]
    if not ended:
        first = next((r for r in records if r.status == "failed"), None)
        cause = "no trial was run" if first is None else f"trial {first.trial}: {first.error}"
        raise FruitlessSearchError(
            f"tune: all {len(records)} trials failed, the first with: {cause}; "
            "change tune.search_space or the settings it starts from"
        )
    best = min(ended, key=lambda record: rule.rank(record.metrics))  # of equals the first
    broken = rule.broken(best.metrics)
    if broken:
        raise PromiseError(
            f"tune: none of {len(ended)} trials keeps tune.constraints; the nearest, {best.trial}: "
            f"{broken}; widen tune.search_space or the constraint"
        )
    return SearchResult(
        trials=[_row(record, rule) for record in records],
        best=dict(best.hyperparameters),
        best_trial=best.trial,
        score=best.metrics[rule.objective],
        figures=dict(best.metrics),
    )


def check_failures(records: Sequence[TrialRecord]) -> None:
    """Stops a search whose first trials all failed for the same reason.

    Args:
        records: all trials in order.

    Raises:
        FruitlessSearchError: with the first cause.
    """
    first = records[:SAME_FAILURES]
    if len(first) < SAME_FAILURES or any(record.status != "failed" for record in first):
        return
    causes = {re.sub(r"\btrial \d+", "trial", str(record.error)) for record in first}
    if len(causes) == 1:
        raise FruitlessSearchError(
            f"tune: the first {SAME_FAILURES} trials failed alike, trial {first[0].trial} with: "
            f"{first[0].error}; change tune.search_space or the settings it starts from"
        )


def _row(record: TrialRecord, rule: Rule) -> dict[str, Any]:
    metrics, ended = record.metrics, record.status == "ended"
    seen = sum(row.get("seconds", 0.0) for row in record.epochs_seen)
    return {
        "trial": record.trial,
        "hyperparameters": dict(record.hyperparameters),
        "score": metrics.get(rule.objective),
        "figures": {n: v for n, v in metrics.items() if n not in ("epochs_run", "seconds")},
        "feasible": ended and rule.violation(metrics) == 0,
        "epochs": int(metrics.get("epochs_run", len(record.epochs_seen))),
        "status": record.status,
        "seconds": metrics.get("seconds", seen),
        "started_seconds": record.started_seconds,
        "error": record.error,
    }
