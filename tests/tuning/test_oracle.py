"""What the oracles propose, and the library faults that are worked around."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from pipeline.tuning.oracle import Proposal, Proposer
from tests.tuning.conftest import RATE, make_config


def proposals(folder: Path, seed: int, count: int, **tune: Any) -> list[Proposal]:
    """The first proposals, each told the value of its dropout as score."""
    proposer = Proposer(make_config(**tune).tune, seed, folder)
    found: list[Proposal] = []
    while len(found) < count and (proposal := proposer.propose()) is not None:
        assert isinstance(proposal, Proposal)
        found.append(proposal)
        proposer.tell_score(proposal, proposal.hyperparameters["model.dropout"])
    return found


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband", "evolution"])
@pytest.mark.parametrize("seed", [0, 7])
def test_equal_seeds_propose_the_same(algorithm: str, seed: int, tmp_path: Path) -> None:
    runs = []
    for attempt in range(2):
        random.seed(attempt)  # what a seed of 0 became in keras-tuner
        own = {"population_size": 4} if algorithm == "evolution" else {}
        found = proposals(tmp_path / str(attempt), seed, 7, algorithm=algorithm, epochs=4, **own)
        runs.append([proposal.hyperparameters for proposal in found])
    assert runs[0] == runs[1]
    assert len(runs[0]) == 7


def test_keras_tuner_still_makes_seed_0_random() -> None:
    """Fails the day that is mended: drop the assignment of oracle.seed in _build_oracle."""
    import keras_tuner

    random.seed(1)
    assert keras_tuner.oracles.RandomSearchOracle(seed=0).seed != 0


def test_near_seeds_try_different_points(tmp_path: Path) -> None:
    rates = [
        {p.hyperparameters[RATE] for p in proposals(tmp_path / str(seed), seed, 6)}
        for seed in range(4)
    ]
    assert len(set().union(*rates)) == 4 * 6


def test_keras_tuner_still_draws_the_same_values_from_the_next_seed() -> None:
    """Fails the day that is mended: drop the spreading of oracle._seed_state."""
    import keras_tuner

    space = keras_tuner.HyperParameters()
    space.Float("a", 0.0, 1.0)
    drawn = []
    for seed in (5, 6):
        oracle = keras_tuner.oracles.RandomSearchOracle(seed=seed, hyperparameters=space)
        drawn.append([oracle._random_values()["a"] for _ in range(6)])
    assert drawn[0][1:] == drawn[1][:-1]


def test_hyperband_runs_its_brackets_and_goes_on_from_the_promoted(tmp_path: Path) -> None:
    """Li et al. 2018 as keras-tuner counts it, 9 epochs and factor 3: 3 brackets, 17 trials."""
    proposer = Proposer(make_config(algorithm="hyperband", epochs=9).tune, 0, tmp_path / "total")
    found = proposals(tmp_path / "run", 0, 100, algorithm="hyperband", epochs=9)
    assert len(found) == proposer.total
    assert found[0].epochs == 1
    by_name = {proposal.trial: proposal for proposal in found}
    promoted = [proposal for proposal in found if proposal.parent is not None]
    assert promoted
    for proposal in promoted:
        parent = by_name[str(proposal.parent)]
        assert proposal.hyperparameters == parent.hyperparameters
        assert proposal.epochs > parent.epochs
    first_round = [p for p in found[:9] if p.parent is None]
    best = min(first_round, key=lambda p: p.hyperparameters["model.dropout"])
    assert best.trial in {p.parent for p in promoted}


def test_a_failure_does_not_stop_a_bracket_of_hyperband(tmp_path: Path) -> None:
    proposer = Proposer(make_config(algorithm="hyperband", epochs=3).tune, 0, tmp_path)
    total = proposer.total
    parents, failed = [], []
    for number in range(100):
        proposal = proposer.propose()
        if proposal is None:
            break
        assert isinstance(proposal, Proposal)
        parents.append(proposal.parent)
        if number == 0:
            failed.append(proposal.trial)
            proposer.tell_failure(proposal, "diverged")
        else:
            proposer.tell_score(proposal, 1.0)
    assert len(parents) == total
    assert any(parent is not None for parent in parents)
    assert not set(failed) & set(parents)


def test_many_failures_in_a_row_do_not_stop_the_oracle(tmp_path: Path) -> None:
    proposer = Proposer(make_config(max_trials=6).tune, 0, tmp_path)
    for _ in range(6):
        proposal = proposer.propose()
        assert isinstance(proposal, Proposal)
        proposer.tell_failure(proposal, "diverged")
    assert proposer.propose() is None


def test_nothing_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proposals(tmp_path, 0, 3)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
