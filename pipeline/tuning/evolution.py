"""Regularized evolution as a keras-tuner oracle (Real et al., AAAI 2019, algorithm 1).

The first `population_size` trials are random. After them each proposal is a mutation of the best
of `tournament_size` members, drawn with replacement from the population; the population is the
youngest `population_size` trials that have ended, so that the oldest dies when a new one comes,
however good it is (ageing). A mutation changes one hyperparameter.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.config.search_space import ChoiceSpace, FloatSpace, Values
from pipeline.tuning.keras_space import decode_all, encode_all, is_ordered
from pipeline.tuning.parameters import Drawn, Parameter, grid_of

if TYPE_CHECKING:
    import numpy as np

# A number moves by a normal step in its range (in its logarithm where sampling is log).
STEP = 0.2
MAX_ATTEMPTS = 20

Member = tuple[Drawn, float]


def choose_parent(
    population: Sequence[Member], tournament_size: int, rng: np.random.Generator
) -> Drawn:
    """Returns the best of `tournament_size` members drawn with replacement.

    Args:
        population: (what was drawn, score) each; lower is better.
        tournament_size: ≥ 1.
        rng: draws the members.
    """
    drawn = rng.integers(len(population), size=tournament_size)
    return population[min(drawn, key=lambda number: population[number][1])][0]


def mutate(parameters: Sequence[Parameter], parent: Drawn, rng: np.random.Generator) -> Drawn:
    """Returns `parent` with one parameter changed.

    What the change activates is drawn at random, what it makes inactive is dropped.

    Args:
        parameters: parents before children.
        parent: a whole point.
        rng: draws what changes, and how.
    """
    changeable = [p for p in parameters if p.name in parent and _several(p.values)]
    chosen = changeable[int(rng.integers(len(changeable)))].name
    child: Drawn = {}
    for parameter in parameters:
        if not parameter.is_active(child):
            continue
        if parameter.name == chosen:
            child[chosen] = move(parameter.values, parent[chosen], rng)
        elif parameter.name in parent:
            child[parameter.name] = parent[parameter.name]
        else:
            child[parameter.name] = draw(parameter.values, rng)
    return child


def draw(values: Values, rng: np.random.Generator) -> Any:
    """Draws a value: uniform, or uniform in the logarithm."""
    grid = _short_grid(values)
    if grid is not None:
        return grid[int(rng.integers(len(grid)))]
    return _from_unit(values, float(rng.random()))


def move(values: Values, current: Any, rng: np.random.Generator) -> Any:
    """Draws another value: near the current one where values have an order, else any."""
    grid = _short_grid(values)
    if grid is None:
        while True:
            moved = _from_unit(values, _step(_to_unit(values, current), rng))
            if moved != current:
                return moved
    position = [repr(value) for value in grid].index(repr(current))
    if isinstance(values, ChoiceSpace) and not is_ordered(values):
        return grid[(position + 1 + int(rng.integers(len(grid) - 1))) % len(grid)]
    last = len(grid) - 1
    moved = round(_step(position / last, rng) * last)
    if moved == position:
        moved += 1 if position == 0 or (position < last and rng.random() < 0.5) else -1
    return grid[moved]


def evolution_oracle(
    parameters: list[Parameter], population_size: int, tournament_size: int, **settings: Any
) -> Any:
    """Makes the oracle.

    Args:
        parameters: parents before children.
        population_size, tournament_size: P and S of the paper.
        settings: of keras_tuner.Oracle.
    """
    oracle = _oracle_class()(**settings)
    oracle.parameters = parameters
    oracle.population_size, oracle.tournament_size = population_size, tournament_size
    return oracle


@functools.cache
def _oracle_class() -> Any:
    import keras_tuner

    base: Any = keras_tuner.Oracle

    class EvolutionOracle(base):
        """Proposes mutations of good young trials."""

        def populate_space(self, trial_id: str) -> dict[str, Any]:
            """Returns the values of the next trial; keras-tuner's contract of an oracle."""
            values = None
            if len(self.trials) >= self.population_size and self.end_order:
                values = self._mutation(int(trial_id))
            values = self._random_values() if values is None else values
            return {"status": "STOPPED" if values is None else "RUNNING", "values": values}

        def _mutation(self, number: int) -> dict[str, Any] | None:
            """Returns a child that was not tried yet; None if none was found."""
            import numpy as np

            # Drawn from the number of the trial, not from a running state: the next proposal
            # of a search that was killed is the one it would have been.
            rng = np.random.default_rng([self.seed, number])
            child = choose_parent(self._population(), self.tournament_size, rng)
            for _ in range(MAX_ATTEMPTS):
                child = mutate(self.parameters, child, rng)
                values = encode_all(self.parameters, child)
                if not self._duplicate(values):
                    return values
            return None

        def _population(self) -> list[Member]:
            sign = -1.0 if self.objective.direction == "max" else 1.0
            youngest = [self.trials[name] for name in self.end_order[-self.population_size :]]
            return [
                (
                    decode_all(self.parameters, trial.hyperparameters.values),
                    math.inf if trial.score is None else sign * trial.score,
                )
                for trial in youngest
            ]

    return EvolutionOracle


def _several(values: Values) -> bool:
    return not isinstance(values, ChoiceSpace) or len(values.choice) > 1


def _short_grid(values: Values) -> list[Any] | None:
    """Every value, unless they are drawn from a continuous or logarithmic range."""
    if not isinstance(values, ChoiceSpace) and values.sampling == "log":
        return None
    return grid_of(values)


def _step(unit: float, rng: np.random.Generator) -> float:
    """A normal step from a point of [0, 1], reflected at the ends."""
    moved = abs(unit + float(rng.normal(0.0, STEP))) % 2.0
    return 2.0 - moved if moved > 1.0 else moved


def _to_unit(values: Any, value: float) -> float:
    low, high = values.bounds
    if values.sampling == "log":
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _from_unit(values: Any, unit: float) -> Any:
    low, high = values.bounds
    log = values.sampling == "log"
    value = low * (high / low) ** unit if log else low + unit * (high - low)
    if isinstance(values, FloatSpace):
        return min(max(float(f"{value:.12g}"), low), high)
    return min(max(round(value), low), high)
