"""From a pruning configuration to the sparsity of each layer at each step."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.bridge.layer_patterns import check_patterns, first_match
from pipeline.bridge.start import import_tfmot
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.config.prune import LayerPruning, PruneConfig


@dataclass(frozen=True)
class Sparsities:
    """Initial and final fraction of zeros of one layer; equal in a constant schedule."""

    initial: float
    final: float


@dataclass(frozen=True)
class Timing:
    """The schedule in steps, counted from 1 as tfmot counts: step t is the t-th batch.

    Attributes:
        begin: no mask changes before this step.
        end: the last step that changes a mask, at the final sparsity.
        frequency: steps between two mask updates.
        power: exponent of the polynomial; None for a constant schedule.
        reached: the step from which on the sparsity is final.
    """

    begin: int
    end: int
    frequency: int
    power: float | None
    reached: int


def resolve_timing(config: PruneConfig, steps_per_epoch: int) -> Timing:
    """Turns the durations of a pruning schedule into steps.

    Args:
        config: the stage's configuration.
        steps_per_epoch: optimizer steps in an epoch of the fine-tuning.

    Raises:
        ConfigError: the final sparsity would not be reached within the fine-tuning.
    """
    schedule, total = config.pruning_schedule, config.epochs * steps_per_epoch
    begin = max(schedule.begin_step.steps(total, steps_per_epoch), 1)
    end = total
    if schedule.kind == "once":
        end = begin
    elif schedule.end_step is not None:
        end = schedule.end_step.steps(total, steps_per_epoch)
    if not begin <= end <= total:
        raise ConfigError(
            f"prune.pruning_schedule: begin_step {begin} and end_step {end} (in steps), expected "
            f"begin_step ≤ end_step ≤ {total}, the steps of prune.epochs: {config.epochs}"
        )
    if schedule.kind == "once":
        return Timing(begin, end, 1, None, begin)
    frequency = max(schedule.frequency.steps(total, steps_per_epoch), 1)
    if schedule.kind == "constant":
        return Timing(begin, end, frequency, None, begin)
    return Timing(begin, end, frequency, schedule.power, end)


def layer_sparsities(config: PruneConfig, names: Iterable[str]) -> dict[str, Sparsities | None]:
    """Resolves the per-layer overrides.

    Args:
        config: the stage's configuration.
        names: all layers that have a kernel, prunable or not.

    Returns:
        Name → sparsities; None for a layer that the configuration skips.

    Raises:
        ConfigError: a pattern that matches no layer, or an initial above a final sparsity.
    """
    names = list(names)
    check_patterns("prune", config.layers, names)
    return {
        name: None if _is_skipped(config, name) else sparsities_of(config, name) for name in names
    }


def _is_skipped(config: PruneConfig, name: str) -> bool:
    override = first_match(config.layers, name)
    return override is not None and override.skip


def sparsities_of(config: PruneConfig, name: str, final: float | None = None) -> Sparsities:
    """Resolves what one layer begins and ends with.

    Args:
        config: the stage's configuration.
        name: of a layer that is not skipped.
        final: what a distribution gives it; None: what the configuration says.

    Raises:
        ConfigError: an initial sparsity above the final one, or in a constant schedule.
    """
    schedule, override = config.pruning_schedule, first_match(config.layers, name)
    if final is None:
        final = _configured(config, override)
    own = None if override is None else override.initial_sparsity
    if schedule.kind != "polynomial":
        if own is not None:
            raise ConfigError(
                f"prune.layers: initial_sparsity for '{name}', but a constant pruning_schedule "
                "has none; use kind: polynomial, or remove it"
            )
        return Sparsities(final, final)
    # A layer that asks for less than the common initial sparsity starts at its own end.
    initial = min(schedule.initial_sparsity, final) if own is None else own
    if initial > final:
        raise ConfigError(
            f"prune.layers: layer '{name}' has initial_sparsity {initial} above final_sparsity "
            f"{final:.6g}; lower the one or raise the other"
        )
    return Sparsities(initial, final)


def _configured(config: PruneConfig, override: LayerPruning | None) -> float:
    if override is not None and override.final_sparsity is not None:
        return override.final_sparsity
    if config.pruning_schedule.kind != "once":
        return config.pruning_schedule.final_sparsity
    assert config.sparsity_m_by_n is not None  # which kind once belongs to
    zeros, size = config.sparsity_m_by_n
    return zeros / size


def sparsity_at(sparsities: Sparsities, timing: Timing, step: Any) -> Any:
    """The target sparsity at a step (Zhu & Gupta 2017, eq. 1), in TensorFlow.

    s(t) = final + (initial - final) · (1 - (t - begin) / (end - begin)) ^ power, clamped to
    [begin, end]; 0 before begin.

    Args:
        sparsities: of the layer.
        timing: of the schedule.
        step: int64 scalar tensor, from 1.

    Returns:
        float32 scalar tensor.
    """
    import tensorflow as tf

    final = tf.constant(sparsities.final, tf.float32)
    target = final
    if timing.power is not None:
        span = max(timing.end - timing.begin, 1)
        at_end = timing.end == timing.begin
        done = tf.cast(step - timing.begin, tf.float32) / span + float(at_end)
        left = (1.0 - tf.clip_by_value(done, 0.0, 1.0)) ** timing.power
        target = final + (sparsities.initial - final) * left
    return tf.where(step < timing.begin, 0.0, target)


@functools.cache
def schedule_class() -> Callable[..., Any]:
    """Returns the class StepSchedule, tfmot's interface to the two functions above."""
    import tensorflow as tf

    schedule: Any = import_tfmot().sparsity.keras.PruningSchedule

    class StepSchedule(schedule):
        """Reads the step from one variable of the training, not from the wrapper.

        A wrapper counts its own calls: a shared layer, called twice per step, would be pruned
        at double speed (tfmot 0.8.1). It also leaves the final sparsity unreached when
        frequency does not divide end - begin; here the last step always updates the masks.
        """

        def __init__(self, sparsities: Sparsities, timing: Timing, step: tf.Variable) -> None:
            self.sparsities, self.timing, self.step = sparsities, timing, step

        def __call__(self, step: Any) -> tuple[Any, Any]:
            now, timing = self.step, self.timing
            in_turn = tf.equal(tf.math.floormod(now - timing.begin, timing.frequency), 0)
            update = (now >= timing.begin) & (now <= timing.end) & (in_turn | (now == timing.end))
            return update, sparsity_at(self.sparsities, timing, now)

        def get_config(self) -> dict[str, Any]:
            raise NotImplementedError("a pruned model in training is saved by its checkpoint")

    return StepSchedule
