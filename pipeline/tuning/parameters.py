"""A search space as single parameters: lists taken apart, parents before their children."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.config.search_space import ChoiceSpace, FloatSpace, IntSpace, ListSpace, Values
from pipeline.config.suggest import did_you_mean
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.config.search_space import Space

Drawn = dict[str, Any]


@dataclass(frozen=True)
class Parameter:
    """One value that is drawn.

    Attributes:
        name: a path, or for a list "path.length", "path.0", "path.1", …
        values: what it may be.
        conditions: (name of another parameter, its values) of which all must hold.
    """

    name: str
    values: Values
    conditions: tuple[tuple[str, tuple[Any, ...]], ...] = ()

    def is_active(self, drawn: Mapping[str, Any]) -> bool:
        """True if its conditions hold in what was drawn so far."""
        return all(
            parent in drawn and any(_same(drawn[parent], value) for value in allowed)
            for parent, allowed in self.conditions
        )


def parameters_of(space: Mapping[str, Space]) -> list[Parameter]:
    """Takes a space apart.

    Returns:
        Parents before children, else in the order of their names.

    Raises:
        ConfigError: a `when` that names no other path, or no value of it, or goes in a circle.
    """
    ordered: list[Parameter] = []
    left = sorted(space)
    while left:
        ready = [path for path in left if not set(space[path].when) & set(left)]
        if not ready:
            raise ConfigError(f"tune.search_space.{left[0]}: its `when` goes in a circle")
        path = ready[0]
        left.remove(path)
        conditions = tuple(
            (parent, _allowed(space, path, parent, values))
            for parent, values in sorted(space[path].conditions().items())
        )
        ordered += _expand(path, space[path], conditions)
    return ordered


def assemble(space: Mapping[str, Space], drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Returns path → value for the configuration; inactive paths are absent."""
    values: dict[str, Any] = {}
    for path, spec in sorted(space.items()):
        if isinstance(spec, ListSpace):
            elements = [drawn[name] for name in _element_names(path, spec) if name in drawn]
            if elements:
                values[path] = elements
        elif path in drawn:
            values[path] = drawn[path]
    return values


def take_apart(space: Mapping[str, Space], values: Mapping[str, Any]) -> Drawn:
    """Returns what was drawn to give these values: the way back from `assemble`."""
    drawn: Drawn = {}
    for path, value in values.items():
        spec = space[path]
        if isinstance(spec, ListSpace):
            if spec.length[0] != spec.length[1]:
                drawn[f"{path}.length"] = len(value)
            drawn |= {f"{path}.{number}": item for number, item in enumerate(value)}
        else:
            drawn[path] = value
    return drawn


def grid_of(values: Values) -> list[Any] | None:
    """Returns every value in order, or None where there is no end of them."""
    if isinstance(values, ChoiceSpace):
        return list(values.choice)
    low, high = values.bounds
    if values.step is None and isinstance(values, FloatSpace):
        return None
    step = 1 if values.step is None else values.step
    count = math.floor((high - low) / step + 1e-9) + 1
    grid = [low + number * step for number in range(count)]
    return [float(f"{v:.12g}") for v in grid] if isinstance(values, FloatSpace) else grid


def points(parameters: Sequence[Parameter]) -> Iterator[Drawn]:
    """Yields every point of a finite space once, the last parameter changing fastest."""

    def extend(position: int, drawn: Drawn) -> Iterator[Drawn]:
        if position == len(parameters):
            yield dict(drawn)
            return
        parameter = parameters[position]
        if not parameter.is_active(drawn):
            yield from extend(position + 1, drawn)
            return
        for value in grid_of(parameter.values) or []:
            yield from extend(position + 1, {**drawn, parameter.name: value})

    return extend(0, {})


def count_points(parameters: Sequence[Parameter]) -> int | None:
    """Returns how many different points there are; None if a float is continuous."""
    grids = {parameter.name: grid_of(parameter.values) for parameter in parameters}
    if any(grid is None for grid in grids.values()):
        return None
    parents = {parent for parameter in parameters for parent, _ in parameter.conditions}

    def count(position: int, drawn: Drawn) -> int:
        if position == len(parameters):
            return 1
        parameter = parameters[position]
        if not parameter.is_active(drawn):
            return count(position + 1, drawn)
        grid = grids[parameter.name] or []
        if parameter.name not in parents:
            return len(grid) * count(position + 1, drawn)
        return sum(count(position + 1, {**drawn, parameter.name: value}) for value in grid)

    return count(0, {})


def _expand(
    path: str, spec: Space, conditions: tuple[tuple[str, tuple[Any, ...]], ...]
) -> list[Parameter]:
    if not isinstance(spec, ListSpace):
        return [Parameter(path, spec, conditions)]
    low, high = spec.length
    names = _element_names(path, spec)
    if low == high:
        return [Parameter(name, spec.element, conditions) for name in names]
    length = f"{path}.length"
    expanded = [Parameter(length, IntSpace(int=(low, high)), conditions)]
    for number, name in enumerate(names):
        # A list of three has the elements 0, 1 and 2: element 2 needs a length of 3 or more.
        long_enough = tuple(range(max(low, number + 1), high + 1))
        condition = ((length, long_enough),) if number >= low else ()
        expanded.append(Parameter(name, spec.element, (*conditions, *condition)))
    return expanded


def _element_names(path: str, spec: ListSpace) -> list[str]:
    return [f"{path}.{number}" for number in range(spec.length[1])]


def _allowed(
    space: Mapping[str, Space], path: str, parent: str, wanted: tuple[Any, ...]
) -> tuple[Any, ...]:
    """Checks a condition against the values that its parent can have."""
    field = f"tune.search_space.{path}.when"
    if parent not in space:
        raise ConfigError(
            f"{field}: '{parent}' is not in the search space{did_you_mean(parent, list(space))}"
        )
    values = space[parent]
    if not isinstance(values, IntSpace | ChoiceSpace):
        raise ConfigError(f"{field}: '{parent}' has no single values; only choice and int do")
    possible = grid_of(values) or []
    for value in wanted:
        if not any(_same(value, other) for other in possible):
            raise ConfigError(
                f"{field}: {value!r} is no value of '{parent}', expected of {possible[:9]!r}"
            )
    return wanted


def _same(left: Any, right: Any) -> bool:
    """Equal and of one type: True is not 1."""
    return type(left) is type(right) and bool(left == right)
