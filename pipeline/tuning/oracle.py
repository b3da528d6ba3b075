"""keras-tuner's oracles, built so that they only propose: the ledger remembers, we train."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.tuning.space import from_keras_tuner, recorded_values, to_keras_tuner

if TYPE_CHECKING:
    from pipeline.config.tune import Space, TuneConfig

WORKER = "slimline"
DIRECTIONS = {"val_accuracy": "max", "val_loss": "min"}
# keras-tuner ends a search after so many failures in a row (None is refused); we decide that.
NO_LIMIT = sys.maxsize


@dataclass(frozen=True)
class Proposal:
    """A trial that the oracle wants: `epochs` in all, going on from `parent` if it has one."""

    trial: str
    hyperparameters: dict[str, Any]
    epochs: int
    parent: str | None
    handle: Any


class Proposer:
    """Asks one keras-tuner oracle for trials and tells it their scores."""

    def __init__(self, config: TuneConfig, seed: int, scratch: Path) -> None:
        """Builds a fresh oracle; `scratch` takes its files, which nobody reads."""
        self._config = config
        self._space: Mapping[str, Space] = config.search_space
        self._oracle = _build_oracle(config, seed)
        self._oracle._set_project_dir(str(scratch), "oracle")
        self._oracle.verbose = 0

    @property
    def total(self) -> int:
        """How many trials a search has that is not cut short."""
        if self._config.max_trials is not None:
            return self._config.max_trials
        brackets = range(self._oracle._get_num_brackets())
        return sum(self._oracle._get_size(b, r) for b in brackets for r in range(b + 1))

    def propose(self) -> Proposal | None:
        """Returns the next trial, or None when the search is over or the space is used up."""
        import threadpoolctl

        # A Gaussian process of so few points costs twice the time on two BLAS threads.
        with threadpoolctl.threadpool_limits(1):
            trial = self._oracle.create_trial(WORKER)
        if trial.status != "RUNNING":
            return None
        values = trial.hyperparameters.values
        parent = values.get("tuner/trial_id")
        return Proposal(
            trial=_number(trial.trial_id),
            hyperparameters=from_keras_tuner(self._space, values),
            epochs=int(values.get("tuner/epochs", self._config.epochs)),
            parent=None if parent is None else _number(parent),
            handle=trial,
        )

    def adopt(self, proposal: Proposal, hyperparameters: dict[str, Any]) -> None:
        """Makes the oracle believe that it had proposed these values."""
        drawn = recorded_values(self._space, hyperparameters)
        proposal.handle.hyperparameters.values.update(drawn)

    def tell_score(self, proposal: Proposal, score: float) -> None:
        """Reports the finite score of a trial that ended."""
        trial = proposal.handle
        self._oracle.update_trial(trial.trial_id, {self._config.objective: score})
        trial.status = "COMPLETED"
        self._oracle.end_trial(trial)

    def tell_failure(self, proposal: Proposal, error: str) -> None:
        """Reports a trial that failed.

        keras-tuner 1.4.8's Hyperband promotes from a round only when every trial of it has a
        score, so one diverged trial would stop its whole bracket: there a failure is told as
        the worst score there is.
        """
        if self._config.algorithm == "hyperband":
            worst = sys.float_info.max
            down = DIRECTIONS[self._config.objective] == "max"
            self.tell_score(proposal, -worst if down else worst)
            return
        trial = proposal.handle
        trial.status, trial.message = "FAILED", error
        self._oracle.end_trial(trial)


def _build_oracle(config: TuneConfig, seed: int) -> Any:
    import keras_tuner
    import numpy as np

    settings: dict[str, Any] = {
        "objective": keras_tuner.Objective(config.objective, DIRECTIONS[config.objective]),
        "hyperparameters": to_keras_tuner(config.search_space),
        "seed": seed,
        "max_consecutive_failed_trials": NO_LIMIT,
    }
    oracles = keras_tuner.oracles
    if config.algorithm == "hyperband":
        settings |= {"max_epochs": config.epochs, "factor": config.factor}
        oracle = oracles.HyperbandOracle(**settings)
    elif config.algorithm == "bayesian":
        oracle = oracles.BayesianOptimizationOracle(max_trials=config.max_trials, **settings)
    else:
        oracle = oracles.RandomSearchOracle(max_trials=config.max_trials, **settings)
    # keras-tuner 1.4.8 has `self.seed = seed or random.randint(…)`: seed 0 became random.
    oracle.seed = oracle._seed_state = seed
    if config.algorithm == "bayesian":
        oracle._random_state = np.random.RandomState(seed)
        oracle.gpr = oracle._make_gpr()
    return oracle


def _number(trial_id: str) -> str:
    """Four digits whatever keras-tuner pads to."""
    return f"{int(trial_id):04d}"
