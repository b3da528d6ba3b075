"""What a search found: every trial, and the best of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.errors import TrainingError
from pipeline.tuning.ledger import TrialRecord
from pipeline.tuning.oracle import DIRECTIONS


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        trials: one dict per trial in order: trial, hyperparameters, score (None if it failed),
            epochs, status ("ended" or "failed"), seconds, error.
        best: the winner's hyperparameters, path → value.
        best_trial: the winner's name; of equals the first.
        score: the winner's objective.
    """

    trials: list[dict[str, Any]]
    best: dict[str, Any]
    best_trial: str
    score: float


def summarize(records: list[TrialRecord], objective: str) -> SearchResult:
    """Chooses the best of the finished trials.

    Raises:
        TrainingError: none ended with a finite objective.
    """
    ended = [record for record in records if record.status == "ended"]
    if not ended:
        first = next((r for r in records if r.status == "failed"), None)
        cause = "no trial was run" if first is None else f"trial {first.trial}: {first.error}"
        raise TrainingError(
            f"tune: all {len(records)} trials failed, the first with: {cause}; "
            "change tune.search_space or the settings it starts from"
        )
    sign = 1.0 if DIRECTIONS[objective] == "max" else -1.0
    best = max(ended, key=lambda record: sign * record.metrics[objective])  # of equals the first
    return SearchResult(
        trials=[_row(record, objective) for record in records],
        best=dict(best.hyperparameters),
        best_trial=best.trial,
        score=best.metrics[objective],
    )


def _row(record: TrialRecord, objective: str) -> dict[str, Any]:
    return {
        "trial": record.trial,
        "hyperparameters": dict(record.hyperparameters),
        "score": record.metrics.get(objective),
        "epochs": int(record.metrics.get("epochs_run", len(record.epochs_seen))),
        "status": record.status,
        "seconds": record.metrics.get("seconds", sum(e["seconds"] for e in record.epochs_seen)),
        "error": record.error,
    }
