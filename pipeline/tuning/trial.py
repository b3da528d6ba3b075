"""One trial: a training of the configuration with the trial's hyperparameters in it."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import TrainingError
from pipeline.progress import SilentProgress
from pipeline.training.checkpoint import load_checkpoint, save_checkpoint

if TYPE_CHECKING:
    import keras

    from pipeline.config.schema import Config
    from pipeline.data.prepared import PreparedData
    from pipeline.training.fit import EpochCallback


@dataclass(frozen=True)
class TrialTask:
    """What is to be trained.

    Attributes:
        trial: "0000", "0001", …
        config: with the hyperparameters in it; train.epochs is tune.epochs.
        seed: of the weights and of the order of samples, the same for all trials.
        work: this trial's own folder, which survives a kill.
        stop_epoch: train up to this epoch, counted from the very first one.
        parent: the folder of the trial whose training goes on, or None.
    """

    trial: str
    config: Config
    seed: int
    work: Path
    stop_epoch: int
    parent: Path | None


@dataclass(frozen=True)
class TrialOutcome:
    """The figures of the weights that the training keeps, and what it took."""

    val_loss: float
    val_accuracy: float
    epochs_run: int
    seconds: float


TrialFunction = Callable[[TrialTask, "PreparedData", "EpochCallback"], TrialOutcome]


def train_trial(task: TrialTask, data: PreparedData, on_epoch: EpochCallback) -> TrialOutcome:
    """Trains one trial; killed and called again it goes on from its last epoch.

    Args:
        task: what is to be trained.
        data: with the splits train and validation.
        on_epoch: called with each new row of the history.

    Raises:
        ConfigError: the hyperparameters make no model or no schedule.
        TrainingError: a loss that is not finite, or no memory for the model.
    """
    import tensorflow as tf

    from pipeline.training.fit import fit

    continue_parent(task)
    try:
        result = fit(
            build_fresh_model(task.config, data, task.seed),
            data,
            task.config.train,
            task.seed,
            task.work / "checkpoints",
            task.work / "output",
            SilentProgress(),
            label=f"trial {task.trial}",
            stop_epoch=task.stop_epoch,
            on_epoch=on_epoch,
        )
    except tf.errors.ResourceExhaustedError as error:
        raise TrainingError(
            f"trial {task.trial}: not enough memory for this model; narrow tune.search_space"
        ) from error
    finally:
        gc.collect()  # graphs and models hold each other; a long search would keep them all
    return TrialOutcome(
        result.validation["loss"], result.validation["accuracy"], result.epochs_run, result.seconds
    )


def build_fresh_model(config: Config, data: PreparedData, seed: int) -> keras.Model:
    """Builds the configured model with the initial weights of this seed."""
    import keras

    from pipeline.models.build import build_model

    keras.utils.set_random_seed(seed)
    preprocessing = data.model_preprocessing
    return build_model(config.model, data.input_shape, data.num_classes, preprocessing)


def continue_parent(task: TrialTask) -> None:
    """Hands the parent's last checkpoint to a trial that has none of its own yet.

    Both have the same hyperparameters, seed and schedule, so going on from it gives the very
    weights that an uninterrupted training would have.
    """
    folder = task.work / "checkpoints"
    if task.parent is None or load_checkpoint(folder) is not None:
        return
    checkpoint = load_checkpoint(task.parent / "checkpoints")
    if checkpoint is not None:
        save_checkpoint(folder, checkpoint.epoch, checkpoint.arrays, checkpoint.state)
