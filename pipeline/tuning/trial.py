"""One trial: the steps of the chain that the search reaches into, with the trial's values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import TrainingError
from pipeline.progress import SilentProgress
from pipeline.training.checkpoint import load_checkpoint, save_checkpoint
from pipeline.training.release import release_memory
from pipeline.tuning.task import Epochs, Figures, TrialInputs, TrialTask, figures_of

if TYPE_CHECKING:
    import keras

    from pipeline.config.schema import Config
    from pipeline.data.prepared import PreparedData
    from pipeline.progress import Progress
    from pipeline.training.fit import EpochCallback, FitResult


def run_trial(task: TrialTask, inputs: TrialInputs, on_epoch: EpochCallback) -> Figures:
    """Trains, fine-tunes and measures; killed and called again it goes on from its last epoch.

    Args:
        task: what is to be done.
        inputs: what it is done on.
        on_epoch: called with each new row of a history.

    Returns:
        val_loss, val_<metric> (after the last step), parameters, epochs_run, seconds (of training
        and fine-tuning), and if they are measured sparsity, size_bytes, gzip_bytes.

    Raises:
        ConfigError: the hyperparameters make no model or no schedule.
        TrainingError: a loss that is not finite, or no memory for the model.
        PromiseError: a model that cannot cross the bridge or be converted.
    """
    import tensorflow as tf

    try:
        if task.steps.trains:
            model, trained = train_model(task, inputs, on_epoch)
            figures = figures_of(trained.validation)
            figures |= {"epochs_run": trained.epochs_run, "seconds": trained.seconds}
        else:
            from pipeline.models.files import load_model

            assert inputs.base_model is not None  # check_space has seen to it
            model = load_model(inputs.base_model)
            figures = {"epochs_run": 0, "seconds": 0.0}
        return finish_trial(model, figures, task, inputs, on_epoch)
    except tf.errors.ResourceExhaustedError as error:
        raise TrainingError(
            f"trial {task.trial}: not enough memory for this model; narrow tune.search_space"
        ) from error
    finally:
        release_memory()  # a long search would keep every model


def train_model(
    task: TrialTask, inputs: TrialInputs, on_epoch: EpochCallback
) -> tuple[keras.Model, FitResult]:
    """Trains a model as `task.config` says, up to task.stop_epoch."""
    from pipeline.training.fit import fit

    data = inputs.data
    model = begin_model(task.config, inputs, task.seed)
    work, output = task.work / "checkpoints", task.work / "output"
    if task.config.train.transfer is not None:
        progress = Epochs("epoch", on_epoch)
        return model, fit_model(model, data, task.config, task.seed, work, output, progress)
    continue_parent(task)
    result = fit(
        model,
        data,
        task.config.train,
        task.seed,
        work,
        output,
        SilentProgress(),
        label=f"trial {task.trial}",
        stop_epoch=task.stop_epoch,
        on_epoch=on_epoch,
    )
    return model, result


def fit_model(
    model: keras.Model,
    data: PreparedData,
    config: Config,
    seed: int,
    work: Path,
    output: Path,
    progress: Progress,
) -> FitResult:
    """Trains in full as the stage train does: at once, or in the two phases of transfer learning.

    Args:
        model: fresh, of config.model; changed in place.
        data, seed, work, output, progress: as `training.fit.fit`.
        config: `train` says how.
    """
    from pipeline.models.applications import HEAD_LAYERS
    from pipeline.training.fit import fit
    from pipeline.training.transfer import transfer

    where = (seed, work, output, progress)
    if config.train.transfer is None:
        return fit(model, data, config.train, *where, label="retrain")
    return transfer(model, HEAD_LAYERS, data, config.train, *where).fit


def finish_trial(
    model: keras.Model,
    figures: Figures,
    task: TrialTask,
    inputs: TrialInputs,
    on_epoch: EpochCallback,
) -> Figures:
    """Does what comes after training: prunes, quantizes, measures the file.

    Args:
        model: changed in place.
        figures: val_loss and so on of the model as it is; epochs_run and seconds so far.
        task, inputs, on_epoch: as in `run_trial`.

    Returns:
        All figures, after the last step.
    """
    from pipeline.tuning.fine_tuning import (
        keep_teacher,
        measure_file,
        prune_model,
        quantize_model,
    )

    figures = {**figures, "parameters": model.count_params()}
    teacher, save = keep_teacher(model, task), None
    if task.steps.prunes:
        figures = _add(figures, prune_model(model, task, inputs.data, on_epoch, teacher))
    if task.steps.quantizes:
        quantized, save = quantize_model(model, task, inputs.data, on_epoch, teacher)
        figures = _add(figures, quantized)
    if task.steps.scheme is not None:
        figures |= measure_file(model, save, task, inputs)
    return figures


def begin_model(config: Config, inputs: TrialInputs, seed: int) -> keras.Model:
    """Returns what a trial trains: the user's own model as it is, or a fresh one."""
    from pipeline.models.files import load_model

    if config.model.architecture == "file":
        assert inputs.base_model is not None  # it was loaded in front of the chain
        return load_model(inputs.base_model)
    return build_fresh_model(config, inputs.data, seed)


def build_fresh_model(config: Config, data: PreparedData, seed: int) -> keras.Model:
    """Builds the configured model with the initial weights of this seed."""
    import keras

    from pipeline.models.build import build_for

    keras.utils.set_random_seed(seed)
    return build_for(config.model, data)


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


def _add(figures: Figures, later: Figures) -> Figures:
    """Takes over the figures of a later step; epochs and seconds add up."""
    sums = {name: figures[name] + later[name] for name in ("epochs_run", "seconds")}
    return {**figures, **later, **sums}
