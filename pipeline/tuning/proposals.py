"""The trials that were proposed, in order, and what their oracle was told of them.

Which results the oracle knows when it proposes a trial does not depend on how fast the workers
are: the scores are told in the order of the trials, and the proposal of trial n waits until all
but the last `lag` trials before it have ended. With one worker the lag is 0. So a search with a
given number of workers has the same trials whenever it is run; the ledger records for each one
what was told, and a search that goes on with another number of workers stays one search.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import ArtifactError
from pipeline.tuning.ledger import Ledger, TrialRecord
from pipeline.tuning.objective import Rule
from pipeline.tuning.oracle import BLIND, Proposal, Proposer
from pipeline.tuning.parameters import count_points, parameters_of

if TYPE_CHECKING:
    from pipeline.config.tune import TuneConfig


@dataclass
class Entry:
    """A proposed trial. running: a worker has it now; losses: workers that died of it."""

    proposal: Proposal
    record: TrialRecord
    running: bool = False
    losses: int = 0

    @property
    def waits(self) -> bool:
        """True if it is neither done nor being done."""
        return not self.running and not self.record.finished


class Proposals:
    """Asks the oracle for trials, and tells it the scores, in an order that can be repeated.

    Attributes:
        entries: all trials in order.
        over: True once the oracle has no more.
    """

    def __init__(
        self, config: TuneConfig, ledger: Ledger, proposer: Proposer, rule: Rule, workers: int
    ) -> None:
        """Takes the parts; `workers` is how many trials run at a time."""
        self._ledger, self._proposer, self._rule = ledger, proposer, rule
        self.halving = config.algorithm == "hyperband"
        parameters = parameters_of(config.search_space)
        self._points = None if self.halving else count_points(parameters)
        # Twice the workers: one slow trial then keeps the others from going on for a while only.
        self._lag = math.inf if config.algorithm in BLIND else 2 * (workers - 1)
        self.entries: list[Entry] = []
        self.over = False
        self._told = 0
        self._worst: float | None = None

    @property
    def records(self) -> list[TrialRecord]:
        """The ledger's records of all trials in order."""
        return [entry.record for entry in self.entries]

    @property
    def total(self) -> int:
        """How many trials a search has that is not cut short."""
        return self._proposer.total

    def repeat(self, record: TrialRecord, note: Callable[[str], None]) -> None:
        """Brings the oracle to where it was when it proposed a recorded trial."""
        while self._told < record.told:
            self._tell_next()
        proposal = self._proposer.propose()
        if not isinstance(proposal, Proposal):
            raise self._mismatch("fewer trials")
        shape = (record.trial, record.epochs, record.parent)
        if shape != (proposal.trial, proposal.epochs, proposal.parent):
            raise self._mismatch(f"trial {proposal.trial} for {record.trial}")
        if record.hyperparameters != proposal.hyperparameters:
            if self.halving:
                raise self._mismatch(f"other values for trial {record.trial}")
            # A Gaussian process may differ in its last bits on another machine.
            self._proposer.adopt(proposal, record.hyperparameters)
            note(f"trial {record.trial}: keras-tuner proposes other values now; kept")
        self.entries.append(Entry(proposal, record))

    def extend(self) -> bool:
        """Adds one trial; False if there is none, or none before another has ended."""
        if self.over or self._used_up():
            self.over = True
            return False
        needed = max(self._told, len(self.entries) - self._lag)
        while True:
            while self._told < needed:
                if not self.entries[self._told].record.finished:
                    return False
                self._tell_next()
            proposal = self._proposer.propose()
            if proposal is None:
                self.over = True
                return False
            if isinstance(proposal, Proposal):
                break
            needed = self._told + 1  # it waits for a score
        record = self._ledger.create(
            proposal.trial,
            proposal.hyperparameters,
            proposal.epochs,
            proposal.parent,
            self._told,
        )
        self.entries.append(Entry(proposal, record))
        return True

    def _tell_next(self) -> None:
        """Tells the oracle of the first trial that it does not know of; it has ended."""
        entry = self.entries[self._told]
        self._told += 1
        if entry.record.status == "ended":
            score = self._rule.told_score(entry.record.metrics, self._worst)
            pick = min if self._rule.maximizes else max
            self._worst = score if self._worst is None else pick(score, self._worst)
            self._proposer.tell_score(entry.proposal, score)
        else:
            self._proposer.tell_failure(entry.proposal, str(entry.record.error))

    def _used_up(self) -> bool:
        """True if every point of a finite space was proposed (Bayesian would go on for ever)."""
        if self._points is None:
            return False
        different = {repr(sorted(r.hyperparameters.items())) for r in self.records}
        return len(different) >= self._points

    def twin(self, entry: Entry) -> TrialRecord | None:
        """Returns the first trial with the same values, if that is an earlier one."""
        if self.halving:
            return None
        values = entry.record.hyperparameters
        first = next(r for r in self.records if r.hyperparameters == values)
        return None if first is entry.record else first

    def _mismatch(self, what: str) -> ArtifactError:
        return ArtifactError(
            f"{self._ledger.folder}: keras-tuner now proposes {what} than the ledger holds "
            "(another version?); delete the folder to search anew"
        )
