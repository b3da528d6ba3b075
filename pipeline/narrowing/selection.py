"""What goes: units scored as configured, and how many of each group, to meet the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.compression.channels import Cost
from pipeline.compression.spread import spread_by_sensitivity, spread_uniformly
from pipeline.data.representative import take_representative
from pipeline.errors import ConfigError, PromiseError
from pipeline.narrowing.channel_graph import ChannelGraph
from pipeline.narrowing.groups import Group, macs_cost, parameter_cost
from pipeline.narrowing.scores import score_by_norm, score_by_scale, score_by_taylor
from pipeline.narrowing.sensitivity import measure_sensitivity

if TYPE_CHECKING:
    import keras

    from pipeline.config.narrow import NarrowConfig
    from pipeline.data.prepared import PreparedData
    from pipeline.progress import Progress


def score_units(
    channels: ChannelGraph, data: PreparedData, config: NarrowConfig, seed: int
) -> np.ndarray:
    """Scores every unit by config.importance.

    Args:
        channels: of the model.
        data: taylor looks at some of its training samples.
        config: importance and number of samples.
        seed: chooses the samples.

    Returns:
        float64 (units,), NaN where the measure says nothing of a unit.

    Raises:
        ConfigError: batch_norm, and there is no BatchNormalization with gamma.
    """
    if config.importance == "taylor":
        split = take_representative(data.train, data.task, config.sample_count, seed)
        return score_by_taylor(channels, split, data.task)
    if config.importance == "batch_norm":
        if not channels.scales:
            raise ConfigError(
                "narrow.importance: batch_norm needs BatchNormalization layers with gamma, and "
                "the model has none; use taylor, l1 or l2"
            )
        return score_by_scale(channels)
    return score_by_norm(channels, 1 if config.importance == "l1" else 2)


def choose_removed(
    model: keras.Model,
    channels: ChannelGraph,
    groups: list[Group],
    data: PreparedData,
    config: NarrowConfig,
    seed: int,
    progress: Progress,
) -> tuple[np.ndarray, list[dict[int, float]]]:
    """Chooses how many units each group loses, so that config.target is met.

    Args:
        model: unchanged on return.
        channels: of the model.
        groups: each with its units in the order in which they go.
        data: sensitivity is measured on some of its validation samples.
        config: target and distribution.
        seed: chooses the samples.
        progress: shows a bar while sensitivity is measured.

    Returns:
        int64 (groups,), and for each group the measured points (see measure_sensitivity), none
        for a uniform distribution.

    Raises:
        ConfigError: the target is in multiply-accumulates, and those of a layer are not known.
        PromiseError: the target cannot be met.
    """
    cost = _cost(model, channels, config)
    removable = np.array([len(group.order) for group in groups], dtype=np.int64)

    def cost_of(counts: np.ndarray) -> float:
        return cost.of(keep_others(channels, groups, counts))

    whole = cost_of(np.zeros_like(removable))
    budget = config.target.fraction * whole
    least = cost_of(removable)
    if least > budget:
        raise PromiseError(
            f"narrow: target.{config.target.figure} {config.target.fraction:g} cannot be met: "
            f"{least / whole:.3f} remain with min_channels {config.min_channels} in every layer "
            f"that may be narrowed ({'; '.join(group.name for group in groups) or 'none'}); raise "
            "the target or lower min_channels"
        )
    if config.distribution == "uniform":
        sizes = np.array([len(group.units) for group in groups])
        return spread_uniformly(sizes, removable, cost_of, budget), [{} for _ in groups]
    split = take_representative(data.validation, data.task, config.sample_count, seed)
    curves = measure_sensitivity(model, channels, groups, split, data.task, progress)
    return spread_by_sensitivity(removable, curves, cost_of, budget), curves


def keep_others(channels: ChannelGraph, groups: list[Group], removed: np.ndarray) -> np.ndarray:
    """Returns bool (units,), False for the first removed[i] units of each groups[i]."""
    kept = np.ones(channels.count, bool)
    for group, count in zip(groups, removed, strict=True):
        kept[group.order[:count]] = False
    return kept


def _cost(model: keras.Model, channels: ChannelGraph, config: NarrowConfig) -> Cost:
    if config.target.figure == "macs":
        return macs_cost(channels)
    return parameter_cost(model, channels)
