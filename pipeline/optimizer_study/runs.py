"""What became of each optimizer's trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.optimizer_study.settings import Entrant


@dataclass(frozen=True)
class Candidate:
    """A learning rate that was tried: its final validation loss, or why there is none."""

    rate: float
    loss: float | None
    error: str | None


@dataclass(frozen=True)
class Runs:
    """What became of one optimizer.

    Attributes:
        entrant: with its label and where its learning rate comes from.
        learning_rate: the one that was compared; None when every candidate failed.
        candidates: of the search, in rising order; none when it was not tuned.
        outcomes: seed → outcome of each training that ended.
        errors: seed → cause of each one that failed.
    """

    entrant: Entrant
    learning_rate: float | None
    candidates: Sequence[Candidate]
    outcomes: Mapping[int, Mapping[str, Any]]
    errors: Mapping[int, str]
