"""keras-tuner's oracles and ours, built so that they only propose: the ledger remembers."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipeline.tasks.task import higher_is_better
from pipeline.tuning.keras_space import decode_all, encode_all, to_keras_tuner
from pipeline.tuning.parameters import assemble, count_points, parameters_of, take_apart

if TYPE_CHECKING:
    from pipeline.config.tune import TuneConfig

# keras-tuner ends a search after so many failures in a row (None is refused); we decide that.
NO_LIMIT = sys.maxsize
# Whose proposals do not depend on the results of earlier trials.
BLIND = frozenset({"random", "grid"})


@dataclass(frozen=True)
class Proposal:
    """A trial that the oracle wants: `epochs` in all, going on from `parent` if it has one."""

    trial: str
    hyperparameters: dict[str, Any]
    epochs: int
    parent: str | None
    handle: Any


class Proposer:
    """Asks one oracle for trials and tells it their scores."""

    def __init__(self, config: TuneConfig, seed: int, scratch: Path) -> None:
        """Builds a fresh oracle; `scratch` takes its files, which nobody reads."""
        self._config = config
        self._space = config.search_space
        self._parameters = parameters_of(config.search_space)
        self._oracle = _build_oracle(config, seed)
        self._oracle._set_project_dir(str(scratch), "oracle")
        self._oracle.verbose = 0
        self._asked = 0

    @property
    def total(self) -> int:
        """How many trials a search has that is not cut short."""
        if self._config.max_trials is not None:
            return self._config.max_trials
        if self._config.algorithm == "grid":
            return count_points(self._parameters) or 0
        brackets = range(self._oracle._get_num_brackets())
        return sum(self._oracle._get_size(b, r) for b in brackets for r in range(b + 1))

    def propose(self) -> Proposal | Literal["wait"] | None:
        """Returns the next trial, "wait" for a score first, or None when the search is over."""
        import threadpoolctl

        before = self._oracle._seed_state
        self._asked += 1
        # A Gaussian process of so few points costs twice the time on two BLAS threads.
        with threadpoolctl.threadpool_limits(1):
            # Each trial counts as another worker's: one worker may have one trial at a time.
            trial = self._oracle.create_trial(f"slimline-{self._asked}")
        if trial.status == "IDLE":
            # What it drew and threw away must not shift what it draws next.
            self._oracle._seed_state = before
            return "wait"
        if trial.status != "RUNNING":
            return None
        values = trial.hyperparameters.values
        parent = values.get("tuner/trial_id")
        return Proposal(
            trial=_number(trial.trial_id),
            hyperparameters=assemble(self._space, decode_all(self._parameters, values)),
            epochs=int(values.get("tuner/epochs", self._config.epochs)),
            parent=None if parent is None else _number(parent),
            handle=trial,
        )

    def adopt(self, proposal: Proposal, hyperparameters: dict[str, Any]) -> None:
        """Makes the oracle believe that it had proposed these values."""
        values = proposal.handle.hyperparameters.values
        for parameter in self._parameters:
            values.pop(parameter.name, None)
        values.update(encode_all(self._parameters, take_apart(self._space, hyperparameters)))

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
            down = higher_is_better(self._config.objective)
            self.tell_score(proposal, -worst if down else worst)
            return
        trial = proposal.handle
        trial.status, trial.message = "FAILED", error
        self._oracle.end_trial(trial)


def _build_oracle(config: TuneConfig, seed: int) -> Any:
    import keras_tuner
    import numpy as np

    from pipeline.tuning.evolution import evolution_oracle
    from pipeline.tuning.grid import grid_oracle

    parameters = parameters_of(config.search_space)
    direction = "max" if higher_is_better(config.objective) else "min"
    settings: dict[str, Any] = {
        "objective": keras_tuner.Objective(config.objective, direction),
        "hyperparameters": to_keras_tuner(parameters),
        "seed": seed,
        "max_consecutive_failed_trials": NO_LIMIT,
    }
    oracles = keras_tuner.oracles
    if config.algorithm == "hyperband":
        oracle = oracles.HyperbandOracle(max_epochs=config.epochs, factor=config.factor, **settings)
    elif config.algorithm == "grid":
        oracle = grid_oracle(parameters, **settings)
    else:
        settings["max_trials"] = config.max_trials
        if config.algorithm == "bayesian":
            oracle = oracles.BayesianOptimizationOracle(**settings)
        elif config.algorithm == "evolution":
            sizes = (config.population_size or 0, config.tournament_size or 0)
            oracle = evolution_oracle(parameters, *sizes, **settings)
        else:
            oracle = oracles.RandomSearchOracle(**settings)
    # keras-tuner 1.4.8 has `self.seed = seed or random.randint(…)`: seed 0 became random. And it
    # draws each value from a generator seeded with seed, seed + 1, …: seeds that are near to each
    # other tried nearly the same points, so they are spread first.
    oracle.seed = seed
    oracle._seed_state = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
    if config.algorithm == "bayesian":
        oracle._random_state = np.random.RandomState(seed)
        oracle.gpr = oracle._make_gpr()
    return oracle


def _number(trial_id: str) -> str:
    """Four digits whatever keras-tuner pads to."""
    return f"{int(trial_id):04d}"
