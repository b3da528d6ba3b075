"""The search loop: the oracle proposes, the ledger remembers, a trial trains."""

from __future__ import annotations

import math
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.artifacts.files import sha256_json
from pipeline.config.load import apply_overrides, as_plain_data
from pipeline.errors import ArtifactError, ConfigError, TrainingError
from pipeline.tuning.ledger import Ledger, TrialRecord
from pipeline.tuning.oracle import DIRECTIONS, Proposal, Proposer
from pipeline.tuning.result import SearchResult, summarize
from pipeline.tuning.space import check_space, count_points
from pipeline.tuning.trial import TrialFunction, TrialTask, train_trial

if TYPE_CHECKING:
    from pipeline.config.schema import Config
    from pipeline.data.prepared import PreparedData
    from pipeline.progress import Progress

FORMAT = 1


def search(
    config: Config,
    data: PreparedData,
    seed: int,
    work: Path,
    progress: Progress,
    train: TrialFunction = train_trial,
) -> SearchResult:
    """Searches config.tune.search_space for the best objective on the validation split.

    Killed and called again it goes on: finished trials are told to a fresh oracle from the
    ledger in their order, the one that was running continues from its last epoch. Another
    space, other settings or another seed are another search, in a folder of its own.

    Args:
        config: the whole configuration; `tune` says what is searched, the rest is the base.
        data: with the splits train and validation.
        seed: of the proposals and of every trial; 0 is 0.
        work: folder for the ledger and the trials' checkpoints; survives a kill.
        progress: shows one bar over the trials.
        train: trains one trial.

    Returns:
        All trials, and the best.

    Raises:
        ConfigError: the space is not possible (before the first trial).
        DataError, ArtifactError: no validation data; a ledger that does not fit.
        TrainingError: every trial failed; with the first cause.
    """
    check_space(config, config.tune.search_space)
    check_objective(config, data)
    digest = search_digest(config, data, seed)
    folder = work / digest[:16]
    ledger = Ledger(folder / "ledger.jsonl", digest)
    with tempfile.TemporaryDirectory(prefix="slimline-oracle-") as scratch:
        proposer = Proposer(config.tune, seed, Path(scratch))
        loop = _Loop(config, data, seed, folder, ledger, proposer, train)
        progress.begin("tune", proposer.total, "trials")
        try:
            loop.run(progress)
        finally:
            progress.end()
    return summarize(list(ledger.trials.values()), config.tune.objective)


def check_objective(config: Config, data: PreparedData) -> None:
    """Refuses a search whose objective could not be computed, before the first trial."""
    objective = config.tune.objective
    if objective not in DIRECTIONS:
        raise ConfigError(
            f"tune.objective: received {objective!r}, expected {' or '.join(DIRECTIONS)}"
        )
    if len(data.validation) == 0:
        raise ConfigError(f"tune.objective {objective} needs validation samples, received none")


def search_digest(config: Config, data: PreparedData, seed: int) -> str:
    """Returns the hex SHA-256 of what makes a search what it is."""
    return sha256_json(
        {
            "format": FORMAT,
            "tune": as_plain_data(config.tune),
            "model": as_plain_data(config.model),
            "train": as_plain_data(config.train),
            "samples": {name: len(split) for name, split in data.splits.items()},
            "input_shape": list(data.input_shape),
            "seed": seed,
        }
    )


class _Loop:
    """Proposes, trains and tells until the oracle stops; replaying is the same loop."""

    def __init__(
        self,
        config: Config,
        data: PreparedData,
        seed: int,
        folder: Path,
        ledger: Ledger,
        proposer: Proposer,
        train: TrialFunction,
    ) -> None:
        self._config, self._data, self._seed, self._folder = config, data, seed, folder
        self._ledger, self._proposer, self._train = ledger, proposer, train
        self._halving = config.tune.algorithm == "hyperband"
        self._points = None if self._halving else count_points(config.tune.search_space)

    def run(self, progress: Progress) -> None:
        objective = self._config.tune.objective
        recorded = iter(list(self._ledger.trials.values()))
        done: list[TrialRecord] = []
        while not self._used_up(done):
            proposal = self._proposer.propose()
            if proposal is None:
                break
            record = self._match(proposal, next(recorded, None), progress)
            if not record.finished:
                self._run_trial(record, done)
            if record.status == "ended":
                self._proposer.tell_score(proposal, record.metrics[objective])
            else:
                self._proposer.tell_failure(proposal, str(record.error))
                progress.note(f"trial {record.trial} failed: {record.error}")
            done.append(record)
            scores = [r.metrics[objective] for r in done if r.status == "ended"]
            pick = max if DIRECTIONS[objective] == "max" else min
            progress.advance(1, **({f"best_{objective}": pick(scores)} if scores else {}))
        if next(recorded, None) is not None:
            raise self._mismatch("fewer trials")
        if len(done) < self._proposer.total:
            progress.note(
                f"the search space is used up after {len(done)} of {self._proposer.total} trials"
            )

    def _used_up(self, done: list[TrialRecord]) -> bool:
        """True if every point of a finite space was tried (Bayesian would go on for ever)."""
        different = {repr(sorted(record.hyperparameters.items())) for record in done}
        return self._points is not None and len(different) >= self._points

    def _match(
        self, proposal: Proposal, record: TrialRecord | None, progress: Progress
    ) -> TrialRecord:
        """Returns the ledger's record of a proposal; makes it if the proposal is new."""
        if record is None:
            return self._ledger.create(
                proposal.trial, proposal.hyperparameters, proposal.epochs, proposal.parent
            )
        shape = (record.trial, record.epochs, record.parent)
        if shape != (proposal.trial, proposal.epochs, proposal.parent):
            raise self._mismatch(f"trial {proposal.trial} for {record.trial}")
        if record.hyperparameters != proposal.hyperparameters:
            if self._halving:
                raise self._mismatch(f"other values for trial {record.trial}")
            # A Gaussian process may differ in its last bits on another machine.
            self._proposer.adopt(proposal, record.hyperparameters)
            progress.note(f"trial {record.trial}: keras-tuner proposes other values now; kept")
        return record

    def _mismatch(self, what: str) -> ArtifactError:
        return ArtifactError(
            f"{self._folder}: keras-tuner now proposes {what} than the ledger holds (another "
            "version?); delete the folder to search anew"
        )

    def _run_trial(self, record: TrialRecord, done: list[TrialRecord]) -> None:
        trial, ledger = record.trial, self._ledger
        fence = ledger.lease(trial)
        twin = next((r for r in done if r.hyperparameters == record.hyperparameters), None)
        if twin is not None and not self._halving:
            self._repeat(record, twin, fence)
            return
        try:
            outcome = self._train(
                self._task(record), self._data, lambda row: ledger.add_epoch(trial, fence, row)
            )
        except (TrainingError, ConfigError) as error:
            ledger.fail(trial, fence, str(error))
            return
        metrics = asdict(outcome)
        bad = next((name for name, value in metrics.items() if not math.isfinite(value)), None)
        if bad is not None:
            ledger.fail(trial, fence, f"{bad} is {metrics[bad]}, expected a finite number")
        else:
            ledger.end(trial, fence, metrics)
            if not self._halving:  # there a later trial may go on from these
                shutil.rmtree(self._trial_folder(trial), ignore_errors=True)

    def _repeat(self, record: TrialRecord, twin: TrialRecord, fence: int) -> None:
        """Takes over the result of a trial with equal values: training is deterministic."""
        if twin.status == "ended":
            self._ledger.end(record.trial, fence, {**twin.metrics, "seconds": 0.0})
        else:
            self._ledger.fail(record.trial, fence, str(twin.error))

    def _task(self, record: TrialRecord) -> TrialTask:
        parent = None if record.parent is None else self._ledger.trials[record.parent]
        if parent is not None and parent.status == "failed":
            raise TrainingError(f"goes on from trial {parent.trial}, which failed: {parent.error}")
        values = {**record.hyperparameters, "train.epochs": self._config.tune.epochs}
        return TrialTask(
            trial=record.trial,
            config=apply_overrides(self._config, values),
            seed=self._seed,
            work=self._trial_folder(record.trial),
            stop_epoch=record.epochs,
            parent=None if parent is None else self._trial_folder(parent.trial),
        )

    def _trial_folder(self, trial: str) -> Path:
        return self._folder / "trials" / trial
