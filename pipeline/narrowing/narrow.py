"""Structured pruning: rank the units, choose which go, rebuild, prove, fine-tune, count."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.graph import walk
from pipeline.bridge.layer_patterns import check_patterns, first_match
from pipeline.config.train import TrainConfig
from pipeline.data.representative import choose_representative
from pipeline.errors import PromiseError
from pipeline.narrowing.channel_graph import ChannelGraph, find_channels
from pipeline.narrowing.groups import Group, count_macs, find_groups
from pipeline.narrowing.rebuild import prove_rebuilt, rebuild
from pipeline.narrowing.selection import choose_removed, keep_others, score_units
from pipeline.training.evaluate import evaluate_model
from pipeline.training.fit import FitResult, fit

if TYPE_CHECKING:
    import keras

    from pipeline.config.narrow import NarrowConfig
    from pipeline.data.prepared import PreparedData
    from pipeline.progress import Progress

PROOF_SAMPLES = 32


@dataclass(frozen=True)
class NarrowResult:
    """A narrowed model and what was counted in it.

    Attributes:
        model: of the class of the one before, with its layers and names.
        counted: figures of the model before and after.
        layers: for each layer that makes channels: layer, class, before, after, and the reason
            why it kept all of them, or null.
        groups: for each group: layers, units, removed, and loss_rise, the points [units removed,
            rise of the loss] that were measured, if any.
        difference: largest relative difference that the proof of the rebuilding found.
        start: loss and metric on the validation split before the fine-tuning.
        fit: the fine-tuning.
    """

    model: keras.Model
    counted: dict[str, dict[str, int | None]]
    layers: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    difference: float
    start: dict[str, float]
    fit: FitResult

    def metrics(self) -> dict[str, Any]:
        """Returns what the stage's manifest keeps."""
        return {
            **self.counted,
            "layers": self.layers,
            "groups": self.groups,
            "proof": {"samples": PROOF_SAMPLES, "max_relative_difference": self.difference},
            "narrowed": self.start,
            "validation": self.fit.validation,
            "history": self.fit.history,
            "best_epoch": self.fit.best_epoch,
            "seconds": self.fit.seconds,
        }


def narrow(
    model: keras.Model,
    data: PreparedData,
    config: NarrowConfig,
    seed: int,
    work: Path,
    output: Path,
    progress: Progress,
    teacher: keras.Model | None = None,
) -> NarrowResult:
    """Removes the filters and units that matter least until the target is met, and fine-tunes.

    Args:
        model: functional or Sequential; unchanged.
        data: with the splits train and validation.
        config: target, importance, distribution, fine-tuning.
        seed: chooses samples and draws the order of each epoch.
        work: folder of the fine-tuning's checkpoints.
        output: folder for history.csv, schedule.csv and tensorboard/.
        progress: bars over groups and epochs.
        teacher: whose outputs config.distillation asks for; else None.

    Raises:
        ConfigError: a pattern matches no layer, or nothing can be ranked or counted as asked.
        PromiseError: the target cannot be met, or the smaller model is not what it should be.
        TrainingError: a loss of the fine-tuning is not finite.
    """
    channels = _find_channels(model, config)
    scores = score_units(channels, data, config, seed)
    groups = find_groups(channels, scores, config.min_channels)
    removed, curves = choose_removed(model, channels, groups, data, config, seed, progress)
    kept = keep_others(channels, groups, removed)
    smaller = rebuild(model, channels, kept)
    chosen = choose_representative(data.validation, data.task, PROOF_SAMPLES, seed)
    difference = prove_rebuilt(model, smaller, channels, kept, data.validation.x[chosen])
    counted = {
        name: {"before": before, "after": _count(smaller)[name]}
        for name, before in _count(model).items()
    }
    _check_target(counted, config)
    start = evaluate_model(smaller, data.validation, data.task)
    tuned = fit(
        smaller, data, _fine_tuning(config), seed, work, output, progress, "narrow", teacher=teacher
    )
    return NarrowResult(
        smaller,
        counted,
        _describe_layers(channels, scores, kept, config),
        [
            _describe_group(group, int(count), curve)
            for group, count, curve in zip(groups, removed, curves, strict=True)
        ],
        difference,
        start,
        tuned,
    )


def _find_channels(model: keras.Model, config: NarrowConfig) -> ChannelGraph:
    def is_skipped(name: str) -> bool:
        return first_match(config.layers, name) is not None

    channels = find_channels(model, is_skipped)
    check_patterns("narrow", config.layers, channels.producers)
    return channels


def _count(model: keras.Model) -> dict[str, int | None]:
    """Counts in the model itself: parameters, and multiply-accumulates where they are known."""
    macs = list(count_macs(walk(model)).values())
    known = [count for count in macs if count is not None]
    return {
        "parameters": model.count_params(),
        "macs": sum(known) if len(known) == len(macs) else None,
    }


def _check_target(counted: dict[str, dict[str, int | None]], config: NarrowConfig) -> None:
    figure, fraction = config.target.figure, config.target.fraction
    before, after = counted[figure]["before"], counted[figure]["after"]
    if before is None or after is None or after > fraction * before:
        raise PromiseError(
            f"narrow: {after} of {before} {figure} remain, expected at most {fraction:g} of them; "
            "report this model"
        )


def _fine_tuning(config: NarrowConfig) -> TrainConfig:
    shared = TrainConfig.model_fields.keys() & type(config).model_fields.keys()
    return TrainConfig(**{name: getattr(config, name) for name in shared})


def _describe_group(group: Group, removed: int, curve: dict[int, float]) -> dict[str, Any]:
    return {
        "layers": list(group.layers),
        "units": len(group.units),
        "removed": removed,
        "loss_rise": [[count, rise] for count, rise in curve.items()],
    }


def _describe_layers(
    channels: ChannelGraph, scores: np.ndarray, kept: np.ndarray, config: NarrowConfig
) -> list[dict[str, Any]]:
    layers = channels.graph.layers()
    rows = []
    for name, units in channels.producers.items():
        after = int(np.count_nonzero(kept[units]))
        removable = channels.removable(name)
        reason = None
        if not len(removable):
            reason = channels.reason(name)
        elif np.isnan(scores[removable]).all():
            reason = f"no {config.importance} tells its channels apart"
        elif len(units) <= config.min_channels:
            reason = f"has no more than {config.min_channels} channels"
        rows.append(
            {
                "layer": name,
                "class": type(layers[name]).__name__,
                "before": len(units),
                "after": after,
                "reason": reason,
            }
        )
    return rows
