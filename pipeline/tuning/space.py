"""The search space, checked before the first trial by being applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

from pipeline.config.search_space import ChoiceSpace, ListSpace
from pipeline.config.substitution import is_switch, substitute
from pipeline.errors import ConfigError
from pipeline.tuning.objective import trains_before
from pipeline.tuning.parameters import Drawn, Parameter, assemble, count_points, parameters_of
from pipeline.tuning.steps import stages_behind, steps_of

if TYPE_CHECKING:
    from pipeline.config.schema import Config
    from pipeline.config.search_space import Space, Values

MAX_GRID = 100_000
REFUSED = {
    "train.epochs": "every trial trains for tune.epochs; set that",
    "run": "the luckiest seed is no better model",
    "data": "the data is prepared once, before the search; compare two runs instead",
    "tune": "it is the search itself",
    "quantize": "of quantize only quantize.qat.* changes a model; compare two runs for the rest",
    "export": "it changes no model",
    "evaluate": "it changes no model",
    "report": "it changes no model",
    "stages": "compare two runs instead",
}


def check_space(config: Config, space: Mapping[str, Space]) -> None:
    """Refuses a search space that could not be tried, by applying its ends and choices.

    Args:
        config: what the hyperparameters are applied to.
        space: path of a field → its values.

    Raises:
        ConfigError: naming the path, the value received, and what is possible.
    """
    for path in space:
        _check_path(config, path)
    _check_no_teacher(config)
    for left, right in combinations(sorted(space), 2):
        if right.startswith(f"{left}."):
            raise ConfigError(f"tune.search_space: {left} and {right} set the same field")
    parameters = parameters_of(space)
    for path in sorted(space):
        for value in end_values(space[path]):
            _try(config, space, path, value, _parents_of(parameters, path))
    # Each alone is possible; together a switch may leave another path without its key.
    for path in sorted(space):
        if is_switch(path):
            for value in end_values(space[path]):
                _try(config, space, path, value, _complete(parameters, path, value))
    if config.tune.algorithm == "grid":
        _check_grid(parameters)
    if config.tune.algorithm == "hyperband":
        _check_halving(config)


def end_values(values: Space) -> tuple[Any, ...]:
    """Returns both ends of a range, every choice, or the shortest and longest lists of these."""
    if isinstance(values, ListSpace):
        ends = end_values(values.element)
        return tuple([end] * count for count in sorted(set(values.length)) for end in ends)
    return values.choice if isinstance(values, ChoiceSpace) else values.bounds


def _check_path(config: Config, path: str) -> None:
    field = f"tune.search_space.{path}"
    root = path.split(".")[0]
    fine_tuning = root == "prune" or path.startswith("quantize.qat.")
    reason = REFUSED.get(path, None if fine_tuning else REFUSED.get(root))
    if reason is not None:
        raise ConfigError(f"{field}: cannot be searched: {reason}")
    if "." not in path or (root not in ("model", "train") and not fine_tuning):
        raise ConfigError(
            f"{field}: expected a path that begins with model., train., prune. or quantize.qat., "
            "because a trial trains and fine-tunes"
        )
    if root == "train" and "distillation" in path.split("."):
        raise ConfigError(
            f"{field}: the training of a trial has no teacher; compare two runs instead"
        )
    if not fine_tuning:
        return
    if root not in stages_behind(config):
        raise ConfigError(f"{field}: the chain has no stage {root} after tune; add it to stages")
    if "narrow" in stages_behind(config):
        raise ConfigError(
            f"{field}: the chain narrows before it comes there, which a trial does not; search "
            "without narrow in stages"
        )
    if root == "quantize" and config.quantize.method != "qat":
        raise ConfigError(f"{field}: belongs to quantize.method: qat")
    if root == "quantize" and "cluster" in stages_behind(config):
        raise ConfigError(
            f"{field}: the chain clusters before it quantizes, which a trial does not; search "
            "without cluster in stages"
        )
    if "distill" in stages_behind(config):
        raise ConfigError(
            f"{field}: the chain distills before it fine-tunes, which a trial does not; search "
            "without distill in stages"
        )
    if not steps_of(config).trains and not trains_before(config):
        raise ConfigError(
            f"{field}: its trials begin with the model before tune, and there is none; put train "
            "before tune in stages, or search model.* or train.* too"
        )


def _check_no_teacher(config: Config) -> None:
    """Refuses trainings of trials by a teacher: what they train is the first float model."""
    if steps_of(config).trains and config.train.distillation is not None:
        raise ConfigError(
            "train.distillation: the trials of tune train and have no teacher for it; leave it "
            "out, or search prune.* and quantize.qat.* alone"
        )


def _try(config: Config, space: Mapping[str, Space], path: str, value: Any, drawn: Drawn) -> None:
    """Applies one value, with others that go with it."""
    others = {name: item for name, item in assemble(space, drawn).items() if name != path}
    try:
        changed = substitute(config, {**others, path: value})
        _check_crossing(changed, path)
    except ConfigError as error:
        beside = [name for name in others if is_switch(path) and str(error).startswith(name)]
        hint = f"; give {beside[0]} a `when: {{{path}: …}}`" if beside else ""
        raise ConfigError(
            f"tune.search_space.{path}: {value!r} is not possible there: {error}{hint}"
        ) from error


def _check_crossing(config: Config, path: str) -> None:
    """Refuses an optimizer that the stage behind the bridge does not have."""
    from pipeline.bridge.optimizers_table import check_optimizer_crosses

    if path.startswith("prune."):
        check_optimizer_crosses(config.prune.optimizer, "prune")
    elif path.startswith("quantize.qat."):
        check_optimizer_crosses(config.quantize.fine_tuning.optimizer, "quantize.qat")


def _parents_of(parameters: list[Parameter], path: str) -> Drawn:
    """Returns values that make the parameter at `path` active, and no others."""
    by_name = {parameter.name: parameter for parameter in parameters}
    drawn: Drawn = {}

    def activate(parameter: Parameter) -> None:
        for parent, allowed in parameter.conditions:
            # A list's own length is among the ends that are tried.
            if parent in by_name and not parent.startswith(f"{path}."):
                drawn.setdefault(parent, allowed[0])
                activate(by_name[parent])

    for parameter in _own(parameters, path):
        activate(parameter)
    return drawn


def _complete(parameters: list[Parameter], path: str, value: Any) -> Drawn:
    """Returns a whole point of the space that has `value` at `path`."""
    drawn = _parents_of(parameters, path)
    drawn[path] = value
    for parameter in parameters:
        if parameter.name not in drawn and parameter.is_active(drawn):
            drawn[parameter.name] = _first(parameter.values)
    return drawn


def _own(parameters: list[Parameter], path: str) -> Iterator[Parameter]:
    return (p for p in parameters if p.name == path or p.name.startswith(f"{path}."))


def _first(values: Values) -> Any:
    return values.choice[0] if isinstance(values, ChoiceSpace) else values.bounds[0]


def _check_halving(config: Config) -> None:
    whole = None
    if steps_of(config).fine_tunes:
        whole = "prune.* and quantize.* come after a whole one"
    elif config.train.transfer is not None:
        whole = "train.transfer has two phases"
    if whole is not None:
        raise ConfigError(
            f"tune.algorithm: hyperband cuts trainings short, and {whole}; use random, bayesian "
            "or evolution"
        )


def _check_grid(parameters: list[Parameter]) -> None:
    from pipeline.tuning.parameters import grid_of

    for parameter in parameters:
        if grid_of(parameter.values) is None:
            raise ConfigError(
                f"tune.search_space.{parameter.name}: a grid needs single values; give the float "
                "a step, or a choice"
            )
    count = count_points(parameters)
    if count is not None and count > MAX_GRID:
        raise ConfigError(
            f"tune.search_space: the grid has {count} points, expected at most {MAX_GRID}; "
            "narrow it, or use another algorithm"
        )
