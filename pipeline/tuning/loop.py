"""The search loop: the oracle proposes, the ledger remembers, a crew does the trials."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config.substitution import substitute
from pipeline.errors import ConfigError, TrainingError
from pipeline.tuning.crew import Crew, Report
from pipeline.tuning.ledger import Ledger, TrialRecord
from pipeline.tuning.live import LiveView
from pipeline.tuning.objective import not_finite
from pipeline.tuning.proposals import Entry, Proposals
from pipeline.tuning.result import check_failures
from pipeline.tuning.steps import steps_of
from pipeline.tuning.task import TrialTask

if TYPE_CHECKING:
    from pipeline.config.schema import Config

# A trial whose worker died so often in one sitting is not tried again.
MAX_LOSSES = 3


class SearchLoop:
    """Proposes, hands out and tells until the oracle stops; replaying is the same loop."""

    def __init__(
        self,
        config: Config,
        seed: int,
        folder: Path,
        ledger: Ledger,
        proposals: Proposals,
        crew: Crew,
        view: LiveView,
    ) -> None:
        """Takes the parts of a search; `folder` is where its trials work."""
        self._config, self._seed, self._folder = config, seed, folder
        self._ledger, self._proposals = ledger, proposals
        self._crew, self._view, self._note = crew, view, view.progress.note
        self._steps = steps_of(config)

    def run(self) -> None:
        """Runs the search to its end.

        Raises:
            ArtifactError: the oracle does not propose what the ledger holds.
            TrainingError: the first trials all failed alike.
        """
        for record in list(self._ledger.trials.values()):
            self._proposals.repeat(record, self._note)
        self._view.begin(sum(entry.record.finished for entry in self._entries))
        check_failures(self._records)
        while True:
            self._start_trials()
            if all(entry.record.finished for entry in self._entries) and self._proposals.over:
                break
            self._crew.wait(self._handle)
        if len(self._entries) < self._proposals.total:
            self._note(
                f"the search space is used up after {len(self._entries)} of "
                f"{self._proposals.total} trials"
            )

    @property
    def _entries(self) -> list[Entry]:
        return self._proposals.entries

    @property
    def _records(self) -> list[TrialRecord]:
        return self._proposals.records

    def _start_trials(self) -> None:
        """Proposes as many trials as the crew can do, and hands out those that wait."""
        settled = True
        while settled:
            while sum(not entry.record.finished for entry in self._entries) < self._crew.size:
                if not self._proposals.extend():
                    break
                self._settle_twins()
            free = [e for e in self._entries if e.waits and self._proposals.twin(e) is None]
            settled = False
            for entry in free:
                if self._crew.has_room():
                    self._begin(entry)
                    settled = settled or entry.record.finished  # it could not even begin

    def _settle_twins(self) -> None:
        """Takes over the results of trials with equal values: training is deterministic."""
        for entry in self._entries:
            twin = self._proposals.twin(entry) if entry.waits else None
            if twin is None or not twin.finished:
                continue
            fence = self._ledger.lease(entry.record.trial)
            if twin.status == "ended":
                self._ledger.end(entry.record.trial, fence, {**twin.metrics, "seconds": 0.0})
            else:
                self._ledger.fail(entry.record.trial, fence, str(twin.error))
            self._finish(entry)

    def _begin(self, entry: Entry) -> None:
        fence = self._ledger.lease(entry.record.trial)
        try:
            task = self._task(entry.record)
        except (TrainingError, ConfigError) as error:
            self._fail(entry, str(error))
            return
        entry.running = True
        self._crew.submit(task, fence)
        self._view.show(self._records)

    def _handle(self, report: Report) -> None:
        """Takes in what the crew tells; what comes of an older lease does not count."""
        entry = self._entries[int(report.trial)]
        if not entry.running or report.fence != entry.record.fence:
            return
        if report.kind == "epoch":
            self._ledger.add_epoch(report.trial, report.fence, report.figures)
            self._view.show(self._records)
            return
        entry.running = False
        if report.kind == "lost":
            self._lose(entry, report.error)
        elif report.kind == "failed":
            self._fail(entry, report.error)
        else:
            self._end(entry, report)

    def _lose(self, entry: Entry, cause: str) -> None:
        entry.losses += 1
        trial = entry.record.trial
        if entry.losses < MAX_LOSSES:
            self._note(f"trial {trial}: {cause}; it goes on from its last epoch in another")
        else:
            self._fail(entry, f"{cause}, {entry.losses} times; too little memory for this model?")

    def _end(self, entry: Entry, report: Report) -> None:
        bad = not_finite(report.figures)
        if bad is not None:
            figure = report.figures[bad]
            self._fail(entry, f"{bad} is {figure}, expected a finite number")
            return
        self._ledger.end(report.trial, report.fence, report.figures)
        if not self._proposals.halving:  # there a later trial may go on from its checkpoints
            shutil.rmtree(self._trial_folder(report.trial), ignore_errors=True)
        self._finish(entry)

    def _fail(self, entry: Entry, error: str) -> None:
        self._ledger.fail(entry.record.trial, entry.record.fence, error)
        self._note(f"trial {entry.record.trial} failed: {error}")
        self._finish(entry)

    def _finish(self, entry: Entry) -> None:
        self._view.advance(self._records)
        check_failures(self._records)
        self._settle_twins()

    def _task(self, record: TrialRecord) -> TrialTask:
        parent = None if record.parent is None else self._ledger.trials[record.parent]
        if parent is not None and parent.status == "failed":
            raise TrainingError(f"goes on from trial {parent.trial}, which failed: {parent.error}")
        values = {**record.hyperparameters, "train.epochs": self._config.tune.epochs}
        return TrialTask(
            trial=record.trial,
            config=substitute(self._config, values),
            steps=self._steps,
            seed=self._seed,
            work=self._trial_folder(record.trial),
            stop_epoch=record.epochs,
            parent=None if parent is None else self._trial_folder(parent.trial),
        )

    def _trial_folder(self, trial: str) -> Path:
        return self._folder / "trials" / trial
