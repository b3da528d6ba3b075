"""Who does the trials: this process, or worker processes (pool.py). Both report alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pipeline.errors import ConfigError, PromiseError, TrainingError
from pipeline.tuning.task import Figures, TrialFunction, TrialTask

# What is a trial's fault, and no reason to stop the search.
TRIAL_ERRORS = (TrainingError, ConfigError, PromiseError)


@dataclass(frozen=True)
class Report:
    """What is told of a trial.

    Attributes:
        kind: "epoch" and "ended" with figures; "failed" with an error; "lost": its worker died,
            and the error says how.
        trial: its name.
        fence: of the lease that it was done under.
    """

    kind: Literal["epoch", "ended", "failed", "lost"]
    trial: str
    fence: int
    figures: dict[str, Any] = field(default_factory=dict)
    error: str = ""


class Crew(Protocol):
    """Does trials and reports on them."""

    size: int

    def has_room(self) -> bool:
        """True if a trial handed over now would be begun at once."""

    def submit(self, task: TrialTask, fence: int) -> None:
        """Hands over a trial."""

    def wait(self, handle: Callable[[Report], None]) -> None:
        """Calls `handle` with what there is to tell; returns after at least one report."""

    def close(self) -> None:
        """Stops at once; trials that run keep their checkpoints."""


class OwnProcess:
    """Does one trial at a time, in this process."""

    size = 1

    def __init__(self, train: TrialFunction, inputs: Any) -> None:
        """Takes what a trial is done by and done on."""
        self._train, self._inputs = train, inputs
        self._order: tuple[TrialTask, int] | None = None

    def has_room(self) -> bool:
        """True between two trials."""
        return self._order is None

    def submit(self, task: TrialTask, fence: int) -> None:
        """Keeps the trial for `wait`."""
        self._order = (task, fence)

    def wait(self, handle: Callable[[Report], None]) -> None:
        """Does the whole trial."""
        assert self._order is not None
        (task, fence), self._order = self._order, None
        handle(do_trial(self._train, task, fence, self._inputs, handle))

    def close(self) -> None:
        """Has nothing to stop."""


def do_trial(
    train: TrialFunction, task: TrialTask, fence: int, inputs: Any, handle: Callable[[Report], None]
) -> Report:
    """Does one trial and returns how it ended; its epochs go to `handle` as they come."""

    def on_epoch(row: dict[str, float]) -> None:
        handle(Report("epoch", task.trial, fence, dict(row)))

    try:
        figures: Figures = train(task, inputs, on_epoch)
    except TRIAL_ERRORS as error:
        return Report("failed", task.trial, fence, error=str(error))
    return Report("ended", task.trial, fence, figures)
