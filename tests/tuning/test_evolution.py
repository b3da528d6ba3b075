"""Regularized evolution: tournament, ageing, mutation of one hyperparameter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.tuning.evolution import choose_parent, draw, move, mutate
from pipeline.tuning.oracle import Proposal, Proposer
from pipeline.tuning.parameters import Drawn, parameters_of
from tests.tuning.conftest import make_config
from tests.tuning.test_parameters import ARCHITECTURES, spaces


class Draws:
    """A generator that draws what it is told to."""

    def __init__(self, *integers: list[int]) -> None:
        self._integers = list(integers)

    def integers(self, high: int, size: int) -> np.ndarray:
        (drawn, *self._integers) = self._integers
        assert max(drawn) < high and len(drawn) == size
        return np.array(drawn)


def test_the_best_of_a_tournament_is_the_parent() -> None:
    population: list[tuple[Drawn, float]] = [({"a": n}, score) for n, score in enumerate([3, 1, 2])]
    assert choose_parent(population, 2, Draws([0, 2])) == {"a": 2}  # type: ignore[arg-type]
    assert choose_parent(population, 2, Draws([1, 1])) == {"a": 1}  # type: ignore[arg-type]
    assert choose_parent(population, 3, Draws([0, 0, 0])) == {"a": 0}  # type: ignore[arg-type]


def test_a_mutation_changes_one_value_and_what_depends_on_it() -> None:
    parameters = parameters_of(spaces(ARCHITECTURES))
    rng = np.random.default_rng(0)
    parent = {"a.kind": "mlp", "a.units.length": 2, "a.units.0": 1, "a.units.1": 3, "b": 1}
    changed: set[str] = set()
    for _ in range(200):
        child = mutate(parameters, parent, rng)
        for parameter in parameters:  # active parameters are there, and no others
            assert parameter.is_active(child) == (parameter.name in child)
        kept = {n for n, v in child.items() if n in parent}
        different = {n for n in kept if child[n] != parent[n]}
        assert len(different) == 1
        (name,) = different
        changed.add(name)
        if name not in ("a.kind", "a.units.length"):
            assert set(child) == set(parent)
    assert changed == set(parent)


@pytest.mark.parametrize(
    ("values", "current"),
    [
        ({"float": [0.0, 1.0]}, 0.0),
        ({"float": [1e-4, 1e-1], "sampling": "log"}, 1e-1),
        ({"float": [0.0, 0.5], "step": 0.1}, 0.5),
        ({"int": [1, 64], "sampling": "log"}, 1),
        ({"int": [1, 2]}, 2),
        ({"choice": [8, 16, 32]}, 16),
        ({"choice": ["relu", "tanh"]}, "tanh"),
        ({"choice": [[8], [16], None]}, None),
    ],
)
def test_a_move_is_another_value_of_the_space(values: dict[str, Any], current: Any) -> None:
    space, rng = spaces({"a": values})["a"], np.random.default_rng(3)
    for _ in range(100):
        moved = move(space, current, rng)
        assert repr(moved) != repr(current)
        if "choice" in values:
            assert moved in values["choice"]
        else:
            low, high = values.get("int") or values["float"]
            assert low <= moved <= high
            assert low <= draw(space, rng) <= high


def test_numbers_move_to_their_neighbours_more_often() -> None:
    space, rng = spaces({"a": {"choice": list(range(11))}})["a"], np.random.default_rng(0)
    moves = [abs(move(space, 5, rng) - 5) for _ in range(500)]
    assert moves.count(1) > moves.count(3) > moves.count(5)


def evolve(folder: Path, scores: Any, count: int, **tune: Any) -> list[Proposal]:
    config = make_config(
        algorithm="evolution", max_trials=200, population_size=4, tournament_size=4, **tune
    )
    proposer = Proposer(config.tune, 0, folder)
    found = []
    for number in range(count):
        proposal = proposer.propose()
        assert isinstance(proposal, Proposal)
        found.append(proposal)
        score = scores(number, proposal)
        if score is None:
            proposer.tell_failure(proposal, "diverged")
        else:
            proposer.tell_score(proposal, score)
    return found


def test_children_differ_from_a_member_of_the_population_in_one_value(tmp_path: Path) -> None:
    found = evolve(tmp_path, lambda n, p: p.hyperparameters["model.dropout"], 16)
    for number in range(4, 16):
        young = [found[n].hyperparameters for n in range(number - 4, number)]
        child = found[number].hyperparameters
        assert any(sum(child[k] != parent[k] for k in child) == 1 for parent in young)


def test_the_oldest_dies_however_good_it_is(tmp_path: Path) -> None:
    """The first trial is by far the best: its values are inherited until it is too old."""
    found = evolve(tmp_path, lambda n, p: -100.0 if n == 0 else float(n), 12)
    first = set(found[0].hyperparameters.items())
    related = [bool(first & set(p.hyperparameters.items())) for p in found]
    assert all(related[4:5])  # only trial 4 has trial 0 among its four youngest
    # Trial 5 on descend from trials 1 to 4 and younger; a tournament of four among four, drawn
    # with replacement, can only reach trial 0 through its own child.
    parents = [set(p.hyperparameters.items()) for p in found]
    assert all(any(parents[n] & parents[m] for m in range(n - 4, n)) for n in range(4, 12))


def test_failed_trials_are_no_parents(tmp_path: Path) -> None:
    found = evolve(tmp_path, lambda n, p: 1.0 if n == 2 else None, 6)
    winner = found[2].hyperparameters
    differences = [sum(p.hyperparameters[k] != winner[k] for k in winner) for p in found[4:]]
    assert min(differences) == 1


def test_nothing_is_proposed_twice_until_the_space_is_used_up(tmp_path: Path) -> None:
    space = {"train.batch_size": {"choice": [1, 2, 3]}, "model.units": {"choice": [[4], [8], [9]]}}
    config = make_config(
        algorithm="evolution", search_space=space, max_trials=50, population_size=2,
        tournament_size=2,
    )  # fmt: skip
    proposer = Proposer(config.tune, 0, tmp_path)
    seen = []
    while isinstance(proposal := proposer.propose(), Proposal):
        seen.append(repr(proposal.hyperparameters))
        proposer.tell_score(proposal, 1.0)
    assert len(seen) == len(set(seen)) == 9
