"""Structured pruning: rank the units, choose which go, rebuild, prove, fine-tune, count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.artifacts.measurements import Measurements
from pipeline.bridge.graph import walk
from pipeline.bridge.layer_patterns import check_patterns, first_match
from pipeline.config.train import TrainConfig
from pipeline.data.representative import choose_representative
from pipeline.errors import PromiseError
from pipeline.narrowing.channel_graph import ChannelGraph, find_channels
from pipeline.narrowing.groups import Group, count_macs, find_groups
from pipeline.narrowing.int8_files import Int8Files
from pipeline.narrowing.latency_target import check_latency, choose_by_latency
from pipeline.narrowing.rebuild import prove_rebuilt, rebuild
from pipeline.narrowing.selection import Selection, choose_removed, score_units
from pipeline.tflite.relative_latency import TURNS, RelativeLatency
from pipeline.tflite.worker import ConversionWorker
from pipeline.training.evaluate import evaluate_model
from pipeline.training.fit import FitResult, fit
from pipeline.training.sensitivity import SENSITIVITY_FILE

if TYPE_CHECKING:
    import keras

    from pipeline.config.narrow import NarrowConfig
    from pipeline.data.prepared import PreparedData
    from pipeline.progress import Progress

PROOF_SAMPLES = 32
LATENCY_FILE = "latency.json"


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
        latency: where it is the target: what `choose_by_latency` returned, and under "final" the
            figures of the file of the fine-tuned model.
    """

    model: keras.Model
    counted: dict[str, dict[str, int | None]]
    layers: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    difference: float
    start: dict[str, float]
    fit: FitResult
    latency: dict[str, Any] | None = None

    def metrics(self) -> dict[str, Any]:
        """Returns what the stage's manifest keeps."""
        return {
            **self.counted,
            "layers": self.layers,
            "groups": self.groups,
            "proof": {"samples": PROOF_SAMPLES, "max_relative_difference": self.difference},
            "narrowed": self.start,
            "latency": self.latency,
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
    converter: Callable[[], ConversionWorker] = ConversionWorker,
) -> NarrowResult:
    """Removes the filters and units that matter least until the target is met, and fine-tunes.

    Args:
        model: functional or Sequential; unchanged.
        data: with the splits train and validation.
        config: target, importance, distribution, fine-tuning.
        seed: chooses samples and draws the order of each epoch.
        work: folder of the fine-tuning's checkpoints, of what is timed and measured; a killed run
            goes on from there.
        output: folder for history.csv, schedule.csv and tensorboard/.
        progress: bars over groups and epochs.
        teacher: whose outputs config.distillation asks for; else None.
        converter: starts, or returns, the child process that converts, for a target in latency.

    Raises:
        ConfigError: a pattern matches no layer, or nothing can be ranked or counted as asked.
        PromiseError: the target cannot be met, or the smaller model is not what it should be.
        TrainingError: a loss of the fine-tuning is not finite.
    """
    channels = _find_channels(model, config)
    scores = score_units(channels, data, config, seed)
    groups = find_groups(channels, scores, config.min_channels)
    known = Measurements(work / SENSITIVITY_FILE)
    selection = Selection(model, channels, groups, data, config, seed, known, progress)
    timed, latency = None, None
    if config.target.latency is None:
        removed = choose_removed(selection, config)
    else:
        timed = Int8Files(model, data, config.target.measured_by, seed, work, converter)
        removed, latency = _choose_timed(model, channels, selection, config, timed, work, progress)
    kept = selection.kept(removed)
    smaller = rebuild(model, channels, kept)
    chosen = choose_representative(data.validation, data.task, PROOF_SAMPLES, seed)
    difference = prove_rebuilt(model, smaller, channels, kept, data.validation.x[chosen])
    counted = {
        name: {"before": before, "after": _count(smaller)[name]}
        for name, before in _count(model).items()
    }
    if timed is None:
        _check_target(counted, config)
    start = evaluate_model(smaller, data.validation, data.task)
    tuned = fit(
        smaller, data, _fine_tuning(config), seed, work, output, progress, "narrow", teacher=teacher
    )
    if timed is not None and latency is not None:
        last = timed.compare(smaller, "narrowed", 2 * TURNS)
        latency = {**latency, "final": check_latency(config.target, last)}
    return NarrowResult(
        smaller,
        counted,
        _describe_layers(channels, scores, kept, config),
        [
            _describe_group(group, int(count), curve)
            for group, count, curve in zip(groups, removed, selection.curves, strict=True)
        ],
        difference,
        start,
        tuned,
        latency,
    )


def _choose_timed(
    model: keras.Model,
    channels: ChannelGraph,
    selection: Selection,
    config: NarrowConfig,
    timed: Int8Files,
    work: Path,
    progress: Progress,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Chooses what goes by the latency of files; their weights are those that are there."""

    def measure(removed: np.ndarray) -> RelativeLatency:
        smaller = rebuild(model, channels, selection.kept(removed))
        found = timed.compare(smaller, "tried", TURNS)
        progress.note(
            f"narrow: {selection.fraction_left(removed):.1%} of the multiply-accumulates take "
            f"{found.fraction:.1%} of the int8 latency"
        )
        return found

    return choose_by_latency(selection, config.target, measure, work / LATENCY_FILE)


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
