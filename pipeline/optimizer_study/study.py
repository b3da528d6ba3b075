"""The comparison itself: interleaved trainings, each recorded once, then the figures."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.artifacts.files import sha256_json
from pipeline.artifacts.fingerprint import describe_host, library_versions
from pipeline.config.load import as_plain_data
from pipeline.errors import TrainingError
from pipeline.optimizer_study.ledger import StudyLedger
from pipeline.optimizer_study.notes import study_notes
from pipeline.optimizer_study.runs import Candidate, Runs
from pipeline.optimizer_study.settings import Entrant, StudySettings
from pipeline.optimizer_study.summary import paired_differences, summarize_optimizer
from pipeline.optimizer_study.target import RULE, choose_target
from pipeline.optimizer_study.training import Training, train_once, untrained_loss

if TYPE_CHECKING:
    from pipeline.data.prepared import PreparedData
    from pipeline.progress import Progress

FORMAT = 1
LIBRARIES = ("tensorflow", "keras", "numpy")


def study_digest(settings: StudySettings, data_digest: str, weights: Any = None) -> str:
    """SHA-256 of what all trainings share (`weights`: content of model.weights), no optimizers."""
    config = as_plain_data(settings.config)
    train = {key: value for key, value in config["train"].items() if key != "optimizer"}
    return sha256_json(
        {
            "format": FORMAT,
            "data": data_digest,
            "weights": weights,
            "model": config["model"],
            "train": train,
            "libraries": library_versions(LIBRARIES),
        }
    )


def run_study(
    settings: StudySettings, data: PreparedData, digest: str, folder: Path, progress: Progress
) -> dict[str, Any]:
    """Trains what is not recorded yet and returns the figures.

    Killed and called again it goes on: recorded trainings are taken as they are, the one that
    was running continues from its last epoch.

    Args:
        settings: what is compared.
        data: with the splits train and validation.
        digest: of study_digest.
        folder: of this study; the caller holds its lock.
        progress: shows one bar over the epochs of all trainings.

    Returns:
        JSON types: the figures of each optimizer, the target, the curves.

    Raises:
        ConfigError: the model or the schedule does not fit.
        TrainingError: not one training ended.
    """
    study = _Study(settings, data, StudyLedger(folder / "ledger.jsonl", digest), folder, progress)
    progress.begin("optimizers", study.total_epochs, "epochs")
    try:
        untrained = [study.untrained(seed) for seed in settings.seeds]
        runs = study.run()
    finally:
        progress.end()
    if not any(one.outcomes for one in runs):
        cause = next(error for one in runs for error in _causes(one))
        raise TrainingError(f"optimizers: every training failed, the first with: {cause}")
    return _result(settings, data, runs, untrained)


class _Study:
    """Trains what the ledger does not have yet."""

    def __init__(
        self,
        settings: StudySettings,
        data: PreparedData,
        ledger: StudyLedger,
        folder: Path,
        progress: Progress,
    ) -> None:
        self._settings, self._data, self._ledger = settings, data, ledger
        self._folder, self._progress = folder, progress
        self._tuned = [e for e in settings.entrants if e.rate_source == "tuned"]
        trials = len(self._tuned) * len(settings.tuning_rates)
        compared = len(settings.entrants) * len(settings.seeds)
        self.total_epochs = settings.config.train.epochs * (trials + compared)

    def untrained(self, seed: int) -> float:
        """Returns the loss before training, measured once for a seed."""
        known = self._ledger.untrained_loss(seed)
        if known is None:
            known = untrained_loss(self._settings.config, self._data, seed)
            self._ledger.record_untrained(seed, known)
        return known

    def run(self) -> list[Runs]:
        """Searches the learning rates, then trains each optimizer with each seed.

        Optimizers take turns, and each round begins with another one, so that whatever else
        this machine does slows all of them alike.
        """
        settings = self._settings
        candidates: dict[str, list[Candidate]] = {}
        for rate in settings.tuning_rates:
            for entrant in self._tuned:
                found = self._train(entrant, rate, settings.tuning_seed)
                loss = found["outcome"]["validation"]["loss"] if "outcome" in found else None
                found_here = Candidate(rate, loss, found.get("error"))
                candidates.setdefault(entrant.label, []).append(found_here)
        rates = {e.label: _rate(e, candidates.get(e.label, [])) for e in settings.entrants}
        outcomes: dict[str, dict[int, Any]] = {e.label: {} for e in settings.entrants}
        errors: dict[str, dict[int, str]] = {e.label: {} for e in settings.entrants}
        for turn, seed in enumerate(settings.seeds):
            first = turn % len(settings.entrants)
            for entrant in (*settings.entrants[first:], *settings.entrants[:first]):
                chosen = rates[entrant.label]
                if chosen is None:
                    self._progress.advance(settings.config.train.epochs)
                    continue
                found = self._train(entrant, chosen, seed)
                if "outcome" in found:
                    outcomes[entrant.label][seed] = found["outcome"]
                else:
                    errors[entrant.label][seed] = found["error"]
        return [
            Runs(e, rates[e.label], candidates.get(e.label, []), outcomes[e.label], errors[e.label])
            for e in settings.entrants
        ]

    def _train(self, entrant: Entrant, rate: float, seed: int) -> dict[str, Any]:
        """Returns the record of a training; makes it if there is none."""
        optimizer = entrant.optimizer.model_copy(update={"learning_rate": rate})
        training = Training(entrant.label, optimizer, seed)
        epochs = self._settings.config.train.epochs
        found = self._ledger.find(training.key)
        if found is not None:
            self._progress.advance(epochs)
            return found
        work = self._folder / "trainings" / training.key
        seen = [0]

        def on_epoch(row: dict[str, float]) -> None:
            missed = int(row["epoch"]) - seen[0]  # epochs before an interruption count at once
            seen[0] = int(row["epoch"])
            self._progress.advance(missed, val_loss=row["val_loss"])

        try:
            outcome = train_once(self._settings.config, training, self._data, work, on_epoch)
        except TrainingError as error:
            self._ledger.fail(training.key, str(error))
            words = str(error)
        else:
            self._ledger.end(training.key, outcome)
            words = f"validation loss {outcome['validation']['loss']:.4g}"
        self._progress.advance(epochs - seen[0])
        shutil.rmtree(work, ignore_errors=True)
        self._progress.note(f"{entrant.label}, learning rate {rate:g}, seed {seed}: {words}")
        found = self._ledger.find(training.key)
        assert found is not None
        return found


def _rate(entrant: Entrant, candidates: Sequence[Candidate]) -> float | None:
    """Returns the given rate, or the candidate with the lowest loss; None if all failed."""
    if entrant.rate_source != "tuned":
        return entrant.optimizer.learning_rate
    ended = [(one.loss, one.rate) for one in candidates if one.loss is not None]
    return min(ended)[1] if ended else None


def _causes(runs: Runs) -> list[str]:
    searched = (one.error for one in runs.candidates)
    return [*runs.errors.values(), *(error for error in searched if error is not None)]


def _result(
    settings: StudySettings, data: PreparedData, runs: Sequence[Runs], untrained: Sequence[float]
) -> dict[str, Any]:
    outcomes = {one.entrant.label: list(one.outcomes.values()) for one in runs}
    given = settings.target_loss is not None
    loss = settings.target_loss if given else choose_target(untrained, outcomes)
    assert loss is not None
    train = settings.config.train
    samples = len(data.train)
    steps = train.updates_per_epoch(samples)
    task = data.task
    optimizers = [
        {
            **_describe(one),
            **summarize_optimizer(
                outcomes[one.entrant.label],
                len(settings.seeds),
                loss,
                steps,
                task.metric,
                task.higher_is_better,
            ),
            "histories": [
                {"seed": seed, "rows": outcome["history"]} for seed, outcome in one.outcomes.items()
            ],
        }
        for one in runs
    ]
    every = [outcome for trained in outcomes.values() for outcome in trained]
    return {
        "task": task.name,
        "metric": task.metric,
        "higher_is_better": task.higher_is_better,
        "epochs": train.epochs,
        "batch_size": train.batch_size,
        "steps_per_epoch": steps,
        "seeds": list(settings.seeds),
        "samples": {"train": samples, "validation": len(data.validation)},
        "parameters": every[0]["parameters"],
        "untrained_loss": list(untrained),
        "target": {"loss": loss, "given": given, "rule": "given" if given else RULE},
        "optimizers": optimizers,
        "paired": paired_differences({one.entrant.label: one.outcomes for one in runs}),
        "host": describe_host(),
        "versions": library_versions(LIBRARIES),
        "notes": study_notes(settings, runs, every),
    }


def _describe(runs: Runs) -> dict[str, Any]:
    optimizer = runs.entrant.optimizer
    return {
        "label": runs.entrant.label,
        "name": optimizer.name,
        "arguments": dict(optimizer.arguments),
        "learning_rate": runs.learning_rate,
        "rate_source": runs.entrant.rate_source,
        "candidates": [
            {"learning_rate": one.rate, "val_loss": one.loss, "error": one.error}
            for one in runs.candidates
        ],
        "failed": [{"seed": seed, "error": error} for seed, error in runs.errors.items()],
    }
