"""Cross-layer equalization of a Keras 3 model: the same function, with weights of equal ranges."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.equalization_pairs import Pair, Pairs, find_pairs
from pipeline.bridge.graph import Call
from pipeline.bridge.proof import relative_difference
from pipeline.compression.equalization import (
    equalizing_factors,
    input_ranges,
    output_ranges,
    scale_inputs,
    scale_outputs,
)
from pipeline.errors import PromiseError
from pipeline.models.predict import predict_outputs

if TYPE_CHECKING:
    import keras

# Sweeps over all pairs; a chain of them needs several, because each changes its neighbours.
_MAX_SWEEPS = 40
_SETTLED = 1e-3
# Of the outputs, relative to their spread. A factor on one side alone differs by about 1.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Equalization:
    """Other weights for the same function.

    Attributes:
        values: (variable of the model, float32 array of its shape).
        pairs: (first layer, second layer), by name.
        skipped: layer whose channels are left as they are → why.
        largest_factor: of all channels, or its inverse.
    """

    values: tuple[tuple[Any, np.ndarray], ...]
    pairs: tuple[tuple[str, str], ...]
    skipped: dict[str, str]
    largest_factor: float

    def metrics(self) -> dict[str, Any]:
        """Returns what a stage's manifest keeps."""
        return {
            "pairs": [list(pair) for pair in self.pairs],
            "skipped": self.skipped,
            "largest_factor": self.largest_factor,
        }

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Gives the model these weights for a while."""
        before = [(variable, np.asarray(variable).copy()) for variable, _ in self.values]
        try:
            for variable, value in self.values:
                variable.assign(value)
            yield
        finally:
            for variable, value in before:
                variable.assign(value)


def equalize(model: keras.Model) -> Equalization:
    """Finds weights with which neighbouring layers have equal ranges in each channel.

    Layers joined by ReLU, LeakyReLU, PReLU, pooling and the like are scaled against each other
    until the factors settle; a BatchNormalization behind a layer is scaled in its place, so that
    its kernel stays. Zeros stay zeros; values that weights share do not stay shared.

    Args:
        model: built, functional or Sequential; not changed.

    Raises:
        ConfigError: the model has no graph.
    """
    found = find_pairs(model)
    factors = _settle(found)
    largest = max((np.abs(np.log(given)).max() for given in factors), default=0.0)
    return Equalization(
        tuple(new_values(found, factors)),
        tuple((pair.first.name, pair.second.name) for pair in found.pairs),
        found.skipped,
        float(np.exp(largest)),
    )


def prove_equal(model: keras.Model, equalization: Equalization, samples: np.ndarray) -> float:
    """Compares the outputs before and after on real samples.

    Args:
        model: of the equalization.
        equalization: what is proved.
        samples: (n, …), n ≥ 2.

    Returns:
        Largest difference relative to the spread of the outputs.

    Raises:
        PromiseError: it is above `TOLERANCE`.
    """
    expected = predict_outputs(model, samples)
    with equalization.applied():
        received = predict_outputs(model, samples)
    difference = relative_difference(expected, received)
    if difference > TOLERANCE:
        raise PromiseError(
            f"equalized, the outputs differ by {difference:.2g} of their spread, promised at most "
            f"{TOLERANCE:g}; leave quantize.cross_layer_equalization out for this model"
        )
    return difference


def _settle(found: Pairs) -> list[np.ndarray]:
    """Returns the factors s of each pair: the first layer is divided, the second multiplied."""
    calls = [call for pair in found.pairs for call in (pair.first, pair.second)]
    kernels = {call.name: np.asarray(call.layer.kernel).astype(np.float64) for call in calls}
    behind = {call.name: normalization_factors(call, found) for call in calls}
    factors = [np.ones(pair.channels) for pair in found.pairs]
    for _ in range(_MAX_SWEEPS):
        moved = 0.0
        for number, pair in enumerate(found.pairs):
            first, second = pair.first.name, pair.second.name
            step = equalizing_factors(
                output_ranges(kernels[first], behind[first]),
                input_ranges(kernels[second], behind[second], pair.channels),
            )
            behind[first] = behind[first] / step
            kernels[second] = scale_inputs(kernels[second], step)
            factors[number] = factors[number] * step
            moved = max(moved, float(np.abs(np.log(step)).max()))
        if moved < _SETTLED:
            break
    return factors


def normalization_factors(call: Call, found: Pairs) -> np.ndarray:
    """What the BatchNormalization behind a layer multiplies its outputs by, γ / √(σ² + ε); or 1."""
    normalization = found.normalizations.get(call.name)
    if normalization is None:
        shape, depthwise = call.layer.kernel.shape, "Depthwise" in type(call.layer).__name__
        return np.ones(shape[-1] * shape[-2] if depthwise else shape[-1])
    variance = np.asarray(normalization.moving_variance).astype(np.float64)
    gamma = np.asarray(normalization.gamma).astype(np.float64) if normalization.scale else 1.0
    return np.asarray(gamma / np.sqrt(variance + normalization.epsilon))


def new_values(found: Pairs, factors: list[np.ndarray]) -> Iterator[tuple[Any, np.ndarray]]:
    """Yields each variable that the factors change, with what it becomes.

    Args:
        found: the pairs.
        factors: (channels,) of each: the first layer is divided, the second multiplied.
    """
    changed: dict[int, tuple[Any, np.ndarray]] = {}

    def change(variable: Any, scale: Any, given: np.ndarray) -> None:
        _, value = changed.get(id(variable), (variable, np.asarray(variable).astype(np.float64)))
        changed[id(variable)] = (variable, scale(value, given))

    for pair, given in zip(found.pairs, factors, strict=True):
        for variable in _outputs_of(pair, found):
            change(variable, scale_outputs, 1 / given)
        change(pair.second.layer.kernel, scale_inputs, given)
    for variable, value in changed.values():
        yield variable, value.astype(np.float32)


def _outputs_of(pair: Pair, found: Pairs) -> list[Any]:
    """The variables that scale the first layer's channels: its own, or its normalization's."""
    normalization = found.normalizations.get(pair.first.name)
    if normalization is None:
        layer = pair.first.layer
        variables = [layer.kernel, layer.bias if layer.use_bias else None]
    else:
        variables = [normalization.gamma, normalization.beta if normalization.center else None]
    return [variable for variable in variables if variable is not None]
