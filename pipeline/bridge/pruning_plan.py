"""Which layers are pruned, and how far each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.bridge_layer import class_of
from pipeline.bridge.kernels import prunable_kernels, reason_without_kernels
from pipeline.bridge.layer_patterns import first_match
from pipeline.bridge.pruning_patterns import reason_against_pattern
from pipeline.bridge.pruning_schedule import Sparsities, layer_sparsities, sparsities_of
from pipeline.bridge.pruning_sensitivity import measure_pruning
from pipeline.compression.sparsity_distribution import (
    lamp_scores,
    zeros_by_erk,
    zeros_by_score,
    zeros_by_sensitivity,
)
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import tf_keras

    from pipeline.artifacts.measurements import Measurements
    from pipeline.config.prune import PruneConfig
    from pipeline.data.prepared import PreparedData
    from pipeline.progress import Progress


@dataclass(frozen=True)
class PruningPlan:
    """What is pruned, and how far.

    Attributes:
        targets: name of a layer → its sparsities.
        skipped: layer, class and reason of the others with weights.
        zeros: of all kernels together, as promised; None where each layer has a promise of its
            own only (distribution uniform).
        curves: for a distribution by sensitivity: layer → points (sparsity, rise of the loss).
    """

    targets: dict[str, Sparsities]
    skipped: list[dict[str, str]]
    zeros: int | None
    curves: dict[str, list[tuple[float, float]]]


@dataclass(frozen=True)
class _Shares:
    """Zeros of the one target, and of the layers without a target of their own.

    Attributes:
        zeros: of all.
        free: those layers.
        asked: zeros of them together.
        least: weights that each of them keeps.
    """

    zeros: int
    free: list[str]
    asked: int
    least: list[int]


def plan_pruning(
    plain: tf_keras.Model,
    config: PruneConfig,
    data: PreparedData,
    seed: int,
    known: Measurements,
    progress: Progress,
) -> PruningPlan:
    """Chooses the layers, and distributes the zeros over them as configured.

    Args:
        plain: the model in tf_keras, as it enters the stage; unchanged on return.
        config: of the stage.
        data: a distribution by sensitivity is measured on some of its validation samples.
        seed: chooses these.
        known: losses that a killed process measured of this model, and where new ones go.
        progress: shows a bar while sensitivity is measured.

    Raises:
        ConfigError: no layer is left to prune, a pattern fits none, or the layers cannot make up
            the target.
    """
    targets, skipped = choose_layers(plain, config)
    if config.spread == "uniform":
        return PruningPlan(targets, skipped, None, {})
    shares = _share(plain, config, targets)
    found, curves = _distribute(plain, config, shares, data, seed, known, progress)
    finals = {
        name: int(count) / _size(plain, name)
        for name, count in zip(shares.free, found, strict=True)
    }
    targets |= {name: sparsities_of(config, name, final) for name, final in finals.items()}
    return PruningPlan(targets, skipped, shares.zeros, curves)


def choose_layers(
    plain: tf_keras.Model, config: PruneConfig
) -> tuple[dict[str, Sparsities], list[dict[str, str]]]:
    """Decides for each layer with weights whether it is pruned, and how far if not distributed.

    Returns:
        Name → sparsities of the pruned layers; layer, class and reason of the others.

    Raises:
        ConfigError: no layer is left to prune, a pattern fits none, or the layers cannot make up
            the target.
    """
    weighted = {layer.name: class_of(layer) for layer in plain.layers if layer.weights}
    chosen: dict[str, Sparsities] = {}
    skipped: list[dict[str, str]] = []
    for name, sparsities in layer_sparsities(config, weighted).items():
        layer = plain.get_layer(name)
        against = None
        if not prunable_kernels(layer):
            against = reason_without_kernels(layer)
        elif sparsities is None:
            against = "skip: true in prune.layers"
        elif config.has_pattern:
            against = reason_against_pattern(layer, config)
        if against is None and sparsities is not None:
            chosen[name] = sparsities
        else:
            skipped.append({"layer": name, "class": weighted[name], "reason": str(against)})
    if not chosen:
        reasons = "; ".join(f"{entry['layer']}: {entry['reason']}" for entry in skipped)
        raise ConfigError(
            f"prune: no layer of '{plain.name}' can be pruned ({reasons or 'no weights'}); "
            "remove prune from stages"
        )
    if config.spread != "uniform":
        _share(plain, config, chosen)
    return chosen, skipped


def least_weights(layer: Any) -> int:
    """Weights that a layer keeps whatever the distribution says: one for each output, on average.

    Counted as the length of the last axis of each kernel. Where the target asks for more zeros than
    that leaves, one weight of each layer is kept.
    """
    return sum(int(kernel.shape[-1]) for kernel in prunable_kernels(layer).values())


def _size(plain: tf_keras.Model, name: str) -> int:
    kernels = prunable_kernels(plain.get_layer(name)).values()
    return sum(int(np.prod(kernel.shape)) for kernel in kernels)


def _has_own_target(config: PruneConfig, name: str) -> bool:
    override = first_match(config.layers, name)
    return override is not None and override.final_sparsity is not None


def _final_sparsity(config: PruneConfig) -> float:
    # Kind once has none; it goes with distribution uniform alone.
    assert config.pruning_schedule.kind != "once"
    return config.pruning_schedule.final_sparsity


def _share(plain: tf_keras.Model, config: PruneConfig, targets: dict[str, Sparsities]) -> _Shares:
    """Counts the zeros of the one target, and refuses what the layers cannot make up."""
    free = [name for name in targets if not _has_own_target(config, name)]
    target = _final_sparsity(config)
    zeros = round(target * sum(_size(plain, name) for name in targets))
    fixed = sum(
        round(sparsities.final * _size(plain, name))
        for name, sparsities in targets.items()
        if name not in free
    )
    asked, size = zeros - fixed, sum(_size(plain, name) for name in free)
    least = [least_weights(plain.get_layer(name)) for name in free]
    if asked > size - sum(least):
        least = [1] * len(free)  # as LAMP by itself
    most = size - sum(least)
    if 0 <= asked <= most:
        return _Shares(zeros, free, asked, least)
    words = f"prune.pruning_schedule.final_sparsity {target:g} asks for {zeros} zeros"
    if fixed:
        words += f", of which layers with a final_sparsity of their own have {fixed}"
    raise ConfigError(
        f"{words}; the {len(free)} {'other ' if fixed else ''}layers can have 0 to {most}, one "
        f"weight of each kept; {'lower' if zeros > fixed else 'raise'} the target or "
        "change prune.layers"
    )


def _distribute(
    plain: tf_keras.Model,
    config: PruneConfig,
    shares: _Shares,
    data: PreparedData,
    seed: int,
    known: Measurements,
    progress: Progress,
) -> tuple[np.ndarray, dict[str, list[tuple[float, float]]]]:
    """Returns the zeros of each free layer, and the curves that were measured for that."""
    names, zeros = shares.free, shares.asked
    if not names:
        return np.zeros(0, np.int64), {}
    layers = [plain.get_layer(name) for name in names]
    kernels = [list(prunable_kernels(layer).values()) for layer in layers]
    sizes = np.array([_size(plain, name) for name in names], np.int64)
    least = np.array(shares.least, np.int64)
    if config.spread == "sensitivity":
        most = sizes - least
        curves = measure_pruning(
            plain, kernels, most, data, config.sample_count, seed, known, progress
        )
        shown = {
            name: [(count / size, rise) for count, rise in curve.items()]
            for name, size, curve in zip(names, sizes.tolist(), curves, strict=True)
        }
        return zeros_by_sensitivity(curves, zeros), shown
    if config.spread == "erk":
        dimensions = np.array([sum(sum(kernel.shape) for kernel in own) for own in kernels])
        return zeros_by_erk(sizes, least, dimensions, zeros), {}
    scores = [
        np.concatenate([np.abs(kernel.numpy()).reshape(-1) for kernel in own]) for own in kernels
    ]
    if config.spread == "lamp":
        scores = [lamp_scores(score) for score in scores]
    return zeros_by_score(scores, least, zeros), {}
