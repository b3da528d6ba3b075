"""The search space: checked before the first trial, and translated to keras-tuner and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.config.load import apply_overrides
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import keras_tuner

    from pipeline.config.schema import Config
    from pipeline.config.tune import Space

SEARCHABLE = ("model", "train")
REFUSED = {
    "train.epochs": "every trial trains for tune.epochs; set that",
    "model.architecture": "each architecture has keys of its own; search within one",
}


def check_space(config: Config, space: Mapping[str, Space]) -> None:
    """Refuses a search space that could not be tried, by applying its ends and choices.

    Args:
        config: what the hyperparameters are applied to.
        space: path of a field → its values.

    Raises:
        ConfigError: naming the path, the value received, and what is possible.
    """
    for path, values in space.items():
        field = f"tune.search_space.{path}"
        if path.split(".")[0] not in SEARCHABLE or "." not in path:
            raise ConfigError(
                f"{field}: received a path outside of a trial, expected one that begins with "
                "model. or train., because a trial is a training"
            )
        if path in REFUSED:
            raise ConfigError(f"{field}: cannot be searched: {REFUSED[path]}")
        for value in end_values(values):
            try:
                apply_overrides(config, {path: value})
            except ConfigError as error:
                raise ConfigError(f"{field}: {value!r} is not possible there: {error}") from error


def end_values(values: Space) -> tuple[Any, ...]:
    """Returns both ends of a range, or every choice."""
    from pipeline.config.tune import ChoiceSpace

    return values.choice if isinstance(values, ChoiceSpace) else values.bounds


def count_points(space: Mapping[str, Space]) -> int | None:
    """Returns how many different points the space has; None if a float is continuous."""
    from pipeline.config.tune import ChoiceSpace, FloatSpace

    points = 1
    for values in space.values():
        if isinstance(values, ChoiceSpace):
            points *= len(values.choice)
        elif isinstance(values, FloatSpace) and values.step is None:
            return None
        else:
            low, high = values.bounds
            step = 1 if values.step is None else values.step
            points *= int((high - low) // step) + 1
    return points


def to_keras_tuner(space: Mapping[str, Space]) -> keras_tuner.HyperParameters:
    """Builds keras-tuner's form of the space, in the order of the paths' names.

    A choice goes as the number of its value, because keras_tuner.Choice (1.4.8) turns booleans
    into integers and refuses values of two types.
    """
    import keras_tuner

    from pipeline.config.tune import ChoiceSpace, FloatSpace

    hyperparameters = keras_tuner.HyperParameters()
    for path, values in sorted(space.items()):
        if isinstance(values, ChoiceSpace):
            hyperparameters.Choice(path, list(range(len(values.choice))), ordered=_ordered(values))
            continue
        add = hyperparameters.Float if isinstance(values, FloatSpace) else hyperparameters.Int
        low, high = values.bounds
        add(path, low, high, step=values.step, sampling=values.sampling)
    return hyperparameters


def from_keras_tuner(space: Mapping[str, Space], values: Mapping[str, Any]) -> dict[str, Any]:
    """Turns what keras-tuner drew into values for the configuration.

    Floats are rounded to 12 digits (0.3, not 0.30000000000000004). keras-tuner 1.4.8 can draw
    max + 1 from a logarithmic Int (Bayesian, at the end of the range): values stay in bounds.
    """
    from pipeline.config.tune import ChoiceSpace, FloatSpace

    hyperparameters: dict[str, Any] = {}
    for path, spec in sorted(space.items()):
        value = values[path]
        if isinstance(spec, ChoiceSpace):
            hyperparameters[path] = spec.choice[value]
        elif isinstance(spec, FloatSpace):
            low, high = spec.bounds
            hyperparameters[path] = min(max(float(f"{value:.12g}"), low), high)
        else:
            hyperparameters[path] = min(max(int(value), spec.bounds[0]), spec.bounds[1])
    return hyperparameters


def recorded_values(space: Mapping[str, Space], values: Mapping[str, Any]) -> dict[str, Any]:
    """Turns values of the configuration into keras-tuner's: the way back."""
    from pipeline.config.tune import ChoiceSpace

    drawn: dict[str, Any] = {}
    for path, spec in space.items():
        value = values[path]
        drawn[path] = spec.choice.index(value) if isinstance(spec, ChoiceSpace) else value
    return drawn


def _ordered(values: Any) -> bool:
    """True if the choices are numbers in rising order, so that near numbers are alike."""
    choice = values.choice
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in choice)
    return numbers and list(choice) == sorted(choice)
