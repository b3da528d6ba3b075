"""A result as run_study makes it, of two optimizers: one that learns and one that does not."""

from __future__ import annotations

from typing import Any

from pipeline.optimizer_study.summary import paired_differences, summarize_optimizer
from tests.optimizer_study.conftest import outcome_of


def sample_result(hostile: str = "") -> dict[str, Any]:
    """Returns the figures; `hostile` is put wherever a user's text goes."""
    slow = [outcome_of([2.3, 2.2, 2.1, 2.0 + seed / 100]) for seed in range(3)]
    good = [outcome_of([1.0, 0.4, 0.2, 0.1 + seed / 100], step=0.25) for seed in range(3)]
    return {
        "task": "classification",
        "metric": "accuracy",
        "higher_is_better": True,
        "epochs": 4,
        "batch_size": 50,
        "steps_per_epoch": 2,
        "seeds": [3, 4, 5],
        "samples": {"train": 100, "validation": 30},
        "parameters": 83,
        "untrained_loss": [2.0, 2.0, 2.0],
        "target": {"loss": 0.29, "given": False, "rule": "90 % of the way"},
        "optimizers": [
            _one(f"sgd{hostile}", slow, 0.1, "given", []),
            _one("adam", good, 0.001, "tuned", [(0.001, 0.1, None), (1.0, None, "nan")]),
        ],
        "paired": paired_differences(
            {
                f"sgd{hostile}": dict(enumerate(slow)),
                "adam": dict(enumerate(good)),
            }
        ),
        "host": {"cpu": "a machine", "cores": 2},
        "versions": {"keras": "3.15.1"},
        "notes": [f"3 seeds only: wide{hostile}"],
    }


def _one(
    label: str, outcomes: list[dict[str, Any]], rate: float, source: str, candidates: list[Any]
) -> dict[str, Any]:
    return {
        "label": label,
        "name": label,
        "arguments": {"momentum": 0.9},
        "learning_rate": rate,
        "rate_source": source,
        "candidates": [
            {"learning_rate": rate, "val_loss": loss, "error": error}
            for rate, loss, error in candidates
        ],
        "failed": [],
        **summarize_optimizer(outcomes, 3, 0.29, 2, "accuracy", True),
        "histories": [
            {"seed": seed, "rows": outcome["history"]} for seed, outcome in enumerate(outcomes)
        ],
    }
