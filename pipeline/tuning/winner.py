"""What becomes of the winner: its full training, and whether it is better than what there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config.substitution import substitute
from pipeline.errors import PromiseError
from pipeline.tuning.crew import TRIAL_ERRORS
from pipeline.tuning.objective import Rule
from pipeline.tuning.steps import Steps
from pipeline.tuning.task import Figures, TrialInputs, TrialTask, figures_of
from pipeline.tuning.trial import begin_model, finish_trial, fit_model

if TYPE_CHECKING:
    import keras

    from pipeline.config.schema import Config
    from pipeline.progress import Progress
    from pipeline.training.fit import FitResult
    from pipeline.tuning.result import SearchResult

# What later stages do with the winner's values; the rest of them is in its model.
LATER = ("prune.", "quantize.")


@dataclass(frozen=True)
class Contender:
    """The winner, or what there was before: judged as a trial is, on the validation split.

    Attributes:
        validation: of the model itself, before anything that later stages do to it.
        figures: as a trial has them, after the trials' steps.
        training: of the winner, trained in full; None where no training was searched.
    """

    validation: dict[str, float]
    figures: Figures
    training: FitResult | None = None


@dataclass(frozen=True)
class Judge:
    """Measures contenders as the trials were measured.

    Attributes:
        config: the base configuration.
        steps: of the trials.
        rule: of the search.
        inputs: of the trials; base_model is the model before tune, None if there is none.
        seed: of the trials.
        work: folder for checkpoints; a killed call goes on.
        progress: told what is done.
    """

    config: Config
    steps: Steps
    rule: Rule
    inputs: TrialInputs
    seed: int
    work: Path
    progress: Progress
    notes: list[str] = field(default_factory=list)

    def judge_winner(self, found: SearchResult, trained: FitResult, model: Path) -> Contender:
        """Measures the winner after its full training.

        Args:
            found: the search's.
            trained: the full training.
            model: file of the model that it gave.
        """
        config = substitute(self.config, found.best)
        figures = self._finish(config, trained.validation, model, "winner")
        return Contender(trained.validation, figures, trained)

    def judge_before(self, validation: dict[str, float]) -> Contender | None:
        """Measures the model before tune with the configuration's own values.

        Returns:
            None if the trials' steps are impossible with them; a note says why.
        """
        assert self.inputs.base_model is not None
        try:
            figures = self._finish(self.config, validation, self.inputs.base_model, "before")
        except TRIAL_ERRORS as error:
            self.notes.append(f"the configuration's own values are impossible: {error}")
            return None
        return Contender(validation, figures)

    def choose(self, winner: Contender, before: Contender | None) -> bool:
        """Tells whether the winner is better than what there was; equal is not better.

        Raises:
            PromiseError: neither keeps the constraints.
        """
        better = before is None or self.rule.rank(winner.figures) < self.rule.rank(before.figures)
        chosen = winner if better or before is None else before
        broken = self.rule.broken(chosen.figures)
        if broken:
            raise PromiseError(
                f"tune: the winner, trained in full, no longer keeps tune.constraints: {broken}; "
                "set tune.epochs nearer to train.epochs, or widen the constraint"
            )
        return better

    def _finish(
        self, config: Config, validation: Mapping[str, float], model: Path, name: str
    ) -> Figures:
        """Does the trials' steps behind training, on a copy of the model."""
        figures = figures_of(dict(validation))
        steps = replace(self.steps, trains=False)
        measured = steps.fine_tunes or steps.scheme is not None
        if not measured and "parameters" not in self._judged():
            return figures
        figures |= {"epochs_run": 0, "seconds": 0.0}
        from pipeline.models.files import load_model

        if steps.fine_tunes:
            self.progress.note(f"tune: {NAMES[name]} is measured as the trials were")
        task = TrialTask(name, config, steps, self.seed, self.work / name, 0)
        return finish_trial(load_model(model), figures, task, self.inputs, lambda row: None)

    def _judged(self) -> set[str]:
        return {self.rule.objective, *(limit.figure for limit in self.rule.limits)}


NAMES = {"winner": "the winner, trained in full,", "before": "what there was before"}


def retrain_winner(
    config: Config,
    hyperparameters: Mapping[str, Any],
    inputs: TrialInputs,
    seed: int,
    work: Path,
    output: Path,
    progress: Progress,
) -> tuple[keras.Model, FitResult]:
    """Trains the configuration with the winner's values for all of train.epochs.

    Args:
        config: the base configuration.
        hyperparameters: SearchResult.best.
        inputs: of the trials.
        seed: of the weights and of the order of samples.
        work: folder of its checkpoints; a killed call goes on, bit for bit.
        output: folder for history.csv, schedule.csv and tensorboard/.
        progress: shows one bar over the epochs.

    Returns:
        The model with the weights to keep, and the figures of its training.
    """
    winner = substitute(config, hyperparameters)
    model = begin_model(winner, inputs, seed)
    return model, fit_model(model, inputs.data, winner, seed, work, output, progress)


def overrides_of(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values that later stages have to use."""
    return {path: v for path, v in hyperparameters.items() if path.startswith(LATER)}
