"""Parameters in keras-tuner's form, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.config.search_space import ChoiceSpace, FloatSpace
from pipeline.tuning.parameters import Drawn, Parameter

if TYPE_CHECKING:
    import keras_tuner


def to_keras_tuner(parameters: Sequence[Parameter]) -> keras_tuner.HyperParameters:
    """Builds keras-tuner's form of a space, conditions included.

    A choice goes as the number of its value, because keras_tuner.Choice (1.4.8) turns booleans
    into integers and refuses lists, and values of two types.

    Args:
        parameters: parents before children.
    """
    import keras_tuner
    from keras_tuner.engine import hyperparameters as kt
    from keras_tuner.src.engine.conditions import Parent  # exported nowhere (1.4.8)

    by_name = {parameter.name: parameter for parameter in parameters}
    found = keras_tuner.HyperParameters()
    for parameter in parameters:
        conditions = [
            Parent(parent, [encode(by_name[parent], value) for value in allowed])
            for parent, allowed in parameter.conditions
        ]
        name, values = parameter.name, parameter.values
        if isinstance(values, ChoiceSpace):
            numbers = list(range(len(values.choice)))
            kind = kt.Choice(name, numbers, ordered=is_ordered(values), conditions=conditions)
        else:
            make = kt.Float if isinstance(values, FloatSpace) else kt.Int
            low, high = values.bounds
            kind = make(
                name,
                low,
                high,
                step=values.step,
                sampling=values.sampling,
                conditions=conditions,
            )
        found.merge([kind])
    return found


def encode_all(parameters: Sequence[Parameter], drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Turns what was drawn into keras-tuner's values."""
    return {p.name: encode(p, drawn[p.name]) for p in parameters if p.name in drawn}


def decode_all(parameters: Sequence[Parameter], values: Mapping[str, Any]) -> Drawn:
    """Turns keras-tuner's values into what was drawn; inactive parameters are absent.

    Floats are rounded to 12 digits (0.3, not 0.30000000000000004). keras-tuner 1.4.8 can draw
    max + 1 from a logarithmic Int (Bayesian, at the end of the range): values stay in bounds.
    """
    drawn: Drawn = {}
    for parameter in parameters:
        if parameter.name in values and parameter.is_active(drawn):
            drawn[parameter.name] = _decode(parameter, values[parameter.name])
    return drawn


def encode(parameter: Parameter, value: Any) -> Any:
    """Turns one value into keras-tuner's."""
    if isinstance(parameter.values, ChoiceSpace):
        return [repr(choice) for choice in parameter.values.choice].index(repr(value))
    return value


def is_ordered(values: ChoiceSpace) -> bool:
    """True if the choices are numbers in rising order, so that near numbers are alike."""
    numbers = [v for v in values.choice if isinstance(v, int | float) and not isinstance(v, bool)]
    return len(numbers) == len(values.choice) and numbers == sorted(numbers)


def _decode(parameter: Parameter, value: Any) -> Any:
    values = parameter.values
    if isinstance(values, ChoiceSpace):
        return values.choice[value]
    low, high = values.bounds
    if isinstance(values, FloatSpace):
        return min(max(float(f"{value:.12g}"), low), high)
    return min(max(int(value), int(low)), int(high))
