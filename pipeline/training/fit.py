"""The fit loop: epochs, validation, early stopping, and a checkpoint after each epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.training.devices import check_batches, choose_devices, replicated
from pipeline.training.dropout import dropping_less
from pipeline.training.evaluate import evaluator
from pipeline.training.history import write_history, write_schedule
from pipeline.training.precision import computing_in
from pipeline.training.session import TrainingSession
from pipeline.training.tensorboard import EpochLog

if TYPE_CHECKING:
    import keras

    from pipeline.config.train import TrainConfig
    from pipeline.data.prepared import PreparedData, Split
    from pipeline.progress import Progress

EpochCallback = Callable[[dict[str, float]], None]


@dataclass(frozen=True)
class FitResult:
    """What a training reached.

    Attributes:
        history: one row per epoch: epoch (1-based), loss and the task's metric (means over the
            epoch's steps, dropout on), val_loss, val_<metric>, learning_rate (of the last step),
            seconds.
        best_epoch: the epoch whose weights the model holds now.
        epochs_run: epochs trained, over all sittings.
        train: loss and metric of the kept weights on the training split.
        validation: loss, metric and samples of the kept weights on the validation split.
        seconds: time of all epochs, over all sittings.
        step_seconds: mean time of a step in each epoch, without validation and checkpoint; the
            first epoch of a sitting includes the tracing of the graph.
    """

    history: list[dict[str, float]]
    best_epoch: int
    epochs_run: int
    train: dict[str, float]
    validation: dict[str, float]
    seconds: float
    step_seconds: list[float]


def fit(
    model: keras.Model,
    data: PreparedData,
    config: TrainConfig,
    seed: int,
    work: Path,
    output: Path,
    progress: Progress,
    label: str = "train",
    *,
    stop_epoch: int | None = None,
    on_epoch: EpochCallback | None = None,
    teacher: keras.Model | None = None,
) -> FitResult:
    """Trains a model on the training split, or goes on where a killed call stopped.

    Killed at any time and called again with the same arguments and an equally built model, it
    ends with the same bits in every weight as a call left alone; `work` keeps what it needs.
    A finished training is not trained again; one with other settings starts over.

    With early stopping the model ends with the weights of the best epoch; without it, with
    those of the last. Losses are without penalties and without the teacher, so that training
    and validation compare; what is minimized includes both.

    Args:
        model: freshly built, x → outputs as data.task has them. Changed in place.
        data: with the splits train and validation.
        config: epochs, batch size, optimizer, schedule, early stopping.
        seed: draws the order of each epoch.
        work: folder of the checkpoints, of this training alone.
        output: folder for history.csv, schedule.csv and tensorboard/.
        progress: shows one bar over the epochs.
        label: names the bar, and the training in errors.
        stop_epoch: ends here although the schedule runs over all config.epochs; a later call
            with a later stop_epoch goes on (successive halving). Default: config.epochs.
        on_epoch: called with each new history row, after its checkpoint is on disk.
        teacher: whose outputs config.distillation asks for, of the same task; else None.

    Returns:
        The history and the figures of the kept weights.

    Raises:
        TrainingError: a loss that is not finite, with the step and the epoch.
        ConfigError: a schedule that does not fit into the training, or more devices than there are.
        StorageError: the disk is full or a folder may not be written.
    """
    devices = choose_devices(config.devices)
    samples = len(data.train)
    check_batches(samples, config.samples_in_batch(samples), len(devices))
    with (
        replicated(model, devices) as trained,
        computing_in(trained, config.mixed_precision),
        dropping_less(trained, config.dropout_factor),
    ):
        session = TrainingSession(trained, data, config, seed, work, label, teacher)
        _run(session, data, config, output, progress, label, stop_epoch, on_epoch)
    # What is told is what the float32 model that is kept reaches.
    unchanged = trained is model and config.mixed_precision == "none"
    evaluate = session.evaluate if unchanged else evaluator(model, data.task)
    return _result(session, data, evaluate)


def _run(
    session: TrainingSession,
    data: PreparedData,
    config: TrainConfig,
    output: Path,
    progress: Progress,
    label: str,
    stop_epoch: int | None,
    on_epoch: EpochCallback | None,
) -> None:
    last_epoch = config.epochs if stop_epoch is None else min(stop_epoch, config.epochs)
    log = EpochLog(output / "tensorboard")
    metric = data.task.metric
    progress.begin(label, last_epoch, "epochs")
    try:
        for row in session.history:
            log.write(row)
            progress.advance(1, **shown_figures(row, metric))
        for row in session.run_epochs(last_epoch):
            log.write(row)
            progress.advance(1, **shown_figures(row, metric))
            if on_epoch is not None:
                on_epoch(row)
    finally:
        log.close()
        progress.end()
    session.keep_best()
    write_history(output / "history.csv", session.history)
    write_schedule(
        output / "schedule.csv",
        [{"step": step, "learning_rate": rate} for step, rate in enumerate(session.rates)],
    )


def _result(
    session: TrainingSession, data: PreparedData, evaluate: Callable[[Split], dict[str, float]]
) -> FitResult:
    training = evaluate(data.train)
    return FitResult(
        history=session.history,
        best_epoch=session.stopper.best_epoch,
        epochs_run=len(session.history),
        train={name: training[name] for name in ("loss", data.task.metric)},
        validation=evaluate(data.validation),
        seconds=sum(row["seconds"] for row in session.history),
        step_seconds=session.step_seconds,
    )


def shown_figures(row: dict[str, float], metric: str) -> dict[str, float]:
    """Returns the figures of a history row that stand beside the bar."""
    return {name: row[name] for name in ("loss", f"val_{metric}")}
