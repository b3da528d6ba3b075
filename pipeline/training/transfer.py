"""Transfer learning: a new head on a frozen base, then the end of the base as well.

Two trainings over the same `fit`, each with checkpoints of its own. BatchNormalization of the
base stays in inference mode in both: its statistics come from far more images than there are
here (Keras's guide "Transfer learning & fine-tuning").
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.config.suggest import did_you_mean
from pipeline.errors import ConfigError
from pipeline.tasks.task import higher_is_better
from pipeline.training.fit import FitResult, fit
from pipeline.training.history import write_history, write_schedule
from pipeline.training.state import read_weights, write_weights

if TYPE_CHECKING:
    import keras

    from pipeline.config.train import TrainConfig
    from pipeline.data.prepared import PreparedData
    from pipeline.progress import Progress


@dataclasses.dataclass(frozen=True)
class TransferResult:
    """What both phases reached.

    Attributes:
        fit: of both together: the history of both with a column `phase` and epochs counted on;
            the figures are those of the weights that the model holds now.
        phases: per phase: phase, epochs_run, trained (number of weights), kept (whether its
            weights are the ones that the model holds).
    """

    fit: FitResult
    phases: list[dict[str, Any]]


def transfer(
    model: keras.Model,
    head: Set[str],
    data: PreparedData,
    config: TrainConfig,
    seed: int,
    work: Path,
    output: Path,
    progress: Progress,
) -> TransferResult:
    """Trains the head on the frozen base, then everything from a layer on; resumable as `fit` is.

    With early stopping the better phase by its monitored figure is kept, without it the second.

    Args:
        model: freshly built, base and head in one graph. All of it is trainable on return.
        head: names of the layers that are no part of the base.
        data: with the splits train and validation.
        config: of the first phase; its `transfer` is the second one's.
        seed: draws the order of each epoch; the second phase's is derived from it.
        work: folder of the checkpoints, one folder in it for each phase.
        output: folder for history.csv, schedule.csv and phase_<n>/tensorboard.
        progress: shows a bar for each phase.

    Returns:
        The result of both.

    Raises:
        ConfigError: transfer.unfreeze_from names no layer of the base, or nothing to train.
        TrainingError, StorageError: as `fit`.
    """
    settings = config.transfer
    if settings is None:
        raise ValueError("train.transfer is not set")
    first = None if settings.unfreeze_from is None else find_layer(model, settings.unfreeze_from)
    if first is not None:
        check_unfreezing(model, first, head)

    def train(phase: int, start: int | None, own: TrainConfig, own_seed: int) -> FitResult:
        name = f"phase_{phase}"
        with training_from(model, start, head):
            return fit(
                model, data, own, own_seed, work / name, output / name, progress, f"train {name}"
            )

    results = [train(1, None, config, seed)]
    trained = [_count_trained(model, None, head)]
    kept = 0
    if first is not None:
        before = read_weights(model)
        second_seed = int(np.random.SeedSequence([seed, 2]).generate_state(1)[0])
        results.append(train(2, first, config.second_phase(), second_seed))
        trained.append(_count_trained(model, first, head))
        kept = better_phase(results, config)
        if kept == 0:
            write_weights(model, before)
    _join_records(output, results)
    phases = [
        {"phase": n + 1, "epochs_run": r.epochs_run, "trained": trained[n], "kept": n == kept}
        for n, r in enumerate(results)
    ]
    return TransferResult(_join(results, kept), phases)


def find_layer(model: keras.Model, pattern: str) -> int:
    """Returns the place of the first layer that a name or a pattern (block_15_*) fits.

    Raises:
        ConfigError: none does.
    """
    names = [layer.name for layer in model.layers]
    for place, name in enumerate(names):
        if fnmatchcase(name, pattern):
            return place
    near = did_you_mean(pattern, names)
    if "did you mean" not in near:
        near = f"; the model ends in {', '.join(names[-5:])}"
    raise ConfigError(f"train.transfer.unfreeze_from: '{pattern}' fits no layer{near}")


def check_unfreezing(model: keras.Model, first: int, head: Set[str]) -> None:
    """Refuses a second phase that would train no more than the first one.

    Raises:
        ConfigError: no layer of the base from there on has weights to train.
    """
    if _count_trained(model, first, head) > _count_trained(model, None, head):
        return
    weighted = [layer.name for layer in model.layers if _trains(layer) and layer.name not in head]
    raise ConfigError(
        f"train.transfer.unfreeze_from: from '{model.layers[first].name}' on the base has nothing "
        f"to train; the last of its layers that do are {', '.join(weighted[-3:])}"
    )


@contextmanager
def training_from(model: keras.Model, first: int | None, head: Set[str]) -> Iterator[None]:
    """Lets only the head, and the base from its layer number `first` on, be trained.

    BatchNormalization of the base is frozen throughout, which in Keras also makes it use and
    keep its moving statistics. At the end everything is trainable again.
    """
    import keras

    try:
        for place, layer in enumerate(model.layers):
            layer.trainable = layer.name in head or (first is not None and place >= first)
            for inner in layer._flatten_layers():
                if isinstance(inner, keras.layers.BatchNormalization) and layer.name not in head:
                    inner.trainable = False
        yield
    finally:
        for layer in model._flatten_layers(include_self=False):
            layer.trainable = True


def better_phase(results: Sequence[FitResult], config: TrainConfig) -> int:
    """Returns the number of the phase whose weights are kept, 0 or 1; a tie goes to the first."""
    if config.early_stopping is None:
        return len(results) - 1
    monitor = config.early_stopping.monitor
    sign = 1.0 if higher_is_better(monitor) else -1.0
    values = [sign * result.history[result.best_epoch - 1][monitor] for result in results]
    return int(np.argmax(values))


def _trains(layer: Any) -> bool:
    import keras

    return bool(layer.trainable_weights) and not isinstance(layer, keras.layers.BatchNormalization)


def _count_trained(model: keras.Model, first: int | None, head: Set[str]) -> int:
    with training_from(model, first, head):
        return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def _join(results: Sequence[FitResult], kept: int) -> FitResult:
    """Joins the phases; epochs are counted on."""
    offset = sum(result.epochs_run for result in results[:kept])
    return dataclasses.replace(
        results[kept],
        history=_joined_history(results),
        best_epoch=offset + results[kept].best_epoch,
        epochs_run=sum(result.epochs_run for result in results),
        seconds=sum(result.seconds for result in results),
        step_seconds=[seconds for result in results for seconds in result.step_seconds],
    )


def _joined_history(results: Sequence[FitResult]) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = []
    for phase, result in enumerate(results, start=1):
        done = len(rows)
        rows += [{**row, "epoch": done + row["epoch"], "phase": phase} for row in result.history]
    return rows


def _join_records(output: Path, results: Sequence[FitResult]) -> None:
    """Makes one history.csv and one schedule.csv of what each phase wrote."""
    rates: list[str] = []
    for phase in range(1, len(results) + 1):
        folder = output / f"phase_{phase}"
        with (folder / "schedule.csv").open(encoding="utf-8", newline="") as file:
            rates += [row["learning_rate"] for row in csv.DictReader(file)]
        (folder / "schedule.csv").unlink()
        (folder / "history.csv").unlink()
    write_history(output / "history.csv", _joined_history(results))
    rows = [{"step": step, "learning_rate": rate} for step, rate in enumerate(rates)]
    write_schedule(output / "schedule.csv", rows)
