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

    from pipeline.artifacts.measurements import Measurements
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


class Selection:
    """Which units go for any fraction of a cost that may remain.

    Attributes:
        curves: for each group, units removed → how much the loss rose (see measure_sensitivity);
            empty where the same fraction of every group goes, or nothing was chosen yet.
        most: int64 (groups,), how many units of each may go.
    """

    def __init__(
        self,
        model: keras.Model,
        channels: ChannelGraph,
        groups: list[Group],
        data: PreparedData,
        config: NarrowConfig,
        seed: int,
        known: Measurements,
        progress: Progress,
    ) -> None:
        """Begins without any choice.

        Args:
            model: it stays as it is.
            channels: of the model.
            groups: each with its units in the order in which they go.
            data: sensitivity is measured on some of its validation samples.
            config: what is counted, and the distribution.
            seed: chooses the samples.
            known: losses that a killed process measured of this model, and where new ones go.
            progress: shows a bar while sensitivity is measured.

        Raises:
            ConfigError: multiply-accumulates are counted, and those of a layer are not known.
        """
        self._model, self._channels, self._groups = model, channels, groups
        self._data, self._config, self._seed = data, config, seed
        self._known, self._progress = known, progress
        self._cost = _cost(model, channels, config)
        self.most = np.array([len(group.order) for group in groups], dtype=np.int64)
        self._whole = self._cost_of(np.zeros_like(self.most))
        self.curves: list[dict[int, float]] = [{} for _ in groups]

    @property
    def least(self) -> float:
        """What fraction remains when all units go that may."""
        return self.fraction_left(self.most)

    def fraction_left(self, removed: np.ndarray) -> float:
        """Returns what remains without the first removed[i] units of each group."""
        return self._cost_of(removed) / self._whole

    def choose(self, fraction: float) -> np.ndarray:
        """Chooses how many units each group loses.

        Args:
            fraction: that may remain, at least `least`; up to rounding that much does.

        Returns:
            int64 (groups,).
        """
        budget = fraction * self._whole
        if self._config.distribution == "uniform":
            sizes = np.array([len(group.units) for group in self._groups])
            return spread_uniformly(sizes, self.most, self._cost_of, budget)
        if not any(self.curves):
            self.curves = self._measure()
        return spread_by_sensitivity(self.most, self.curves, self._cost_of, budget)

    def kept(self, removed: np.ndarray) -> np.ndarray:
        """Returns bool (units,), False for the units that go."""
        return keep_others(self._channels, self._groups, removed)

    def names(self) -> str:
        """Returns the groups, for a message."""
        return "; ".join(group.name for group in self._groups) or "none"

    def _cost_of(self, removed: np.ndarray) -> float:
        return self._cost.of(self.kept(removed))

    def _measure(self) -> list[dict[int, float]]:
        count, task = self._config.sample_count, self._data.task
        split = take_representative(self._data.validation, task, count, self._seed)
        return measure_sensitivity(
            self._model, self._channels, self._groups, split, task, self._known, self._progress
        )


def choose_removed(selection: Selection, config: NarrowConfig) -> np.ndarray:
    """Chooses how many units each group loses, so that a target that is counted is met.

    Returns:
        int64 (groups,).

    Raises:
        PromiseError: the target cannot be met.
    """
    figure, fraction = config.target.figure, config.target.fraction
    if selection.least > fraction:
        raise PromiseError(
            f"narrow: target.{figure} {fraction:g} cannot be met: {selection.least:.3f} remain "
            f"with min_channels {config.min_channels} in every layer that may be narrowed "
            f"({selection.names()}); raise the target or lower min_channels"
        )
    return selection.choose(fraction)


def keep_others(channels: ChannelGraph, groups: list[Group], removed: np.ndarray) -> np.ndarray:
    """Returns bool (units,), False for the first removed[i] units of each groups[i]."""
    kept = np.ones(channels.count, bool)
    for group, count in zip(groups, removed, strict=True):
        kept[group.order[:count]] = False
    return kept


def _cost(model: keras.Model, channels: ChannelGraph, config: NarrowConfig) -> Cost:
    if config.target.figure == "parameters":
        return parameter_cost(model, channels)
    return macs_cost(channels, config.target.figure)
