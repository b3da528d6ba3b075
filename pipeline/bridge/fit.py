"""Fine-tuning in tf_keras that resumes bit for bit after a kill.

Whole runs of steps are one TensorFlow call: Python is entered every STEPS_PER_CALL steps only.
What the schedule really did is recorded inside the step, from the variables that acted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.artifacts.files import sha256_json
from pipeline.bridge.learner import make_crossed_learner
from pipeline.bridge.optimizers import build_tf_keras_optimizer
from pipeline.bridge.predict import evaluate
from pipeline.bridge.state import TrainingState
from pipeline.bridge.steps import StepHooks, build_loop
from pipeline.config.load import as_plain_data
from pipeline.data.batches import steps_per_epoch, training_batches
from pipeline.errors import TrainingError
from pipeline.training.accumulation import batches_of_updates
from pipeline.training.averaging import average_in_place, build_average
from pipeline.training.checkpoint import load_checkpoint, save_checkpoint
from pipeline.training.dropout import dropping_less
from pipeline.training.fit import shown_figures
from pipeline.training.history import write_history, write_schedule
from pipeline.training.rates import RateTable

if TYPE_CHECKING:
    import keras
    import tf_keras

    from pipeline.config.train import FineTuneConfig
    from pipeline.data.prepared import PreparedData
    from pipeline.progress import Progress

STEPS_PER_CALL = 64


@dataclass
class FineTuning:
    """What a fine-tuning did; on return the model holds the weights of `best_epoch`.

    Attributes:
        history: one row per epoch (epoch from 1, loss, the task's metric, val_loss,
            val_<metric>, learning_rate, seconds).
        best_epoch: from 1; the best by validation metric, then loss, among the candidates.
        validation: loss, metric, samples of the weights that were kept.
        seconds: spent in training, over all starts.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: int = 0
    validation: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


def fine_tune(
    model: tf_keras.Model,
    data: PreparedData,
    config: FineTuneConfig,
    seed: int,
    work: Path,
    output: Path,
    progress: Progress,
    stage: str,
    hooks: StepHooks | None = None,
    teacher: keras.Model | None = None,
) -> FineTuning:
    """Trains a tf_keras model on (train, validation), going on from the last checkpoint.

    Args:
        model: one input, one output as data.task has it.
        data: with the train and validation splits.
        config: epochs, batch size, optimizer, schedule.
        seed: draws the order of the samples with the epoch.
        work: folder for checkpoints; survives a kill.
        output: folder for history.csv and schedule.csv.
        progress: told each epoch.
        stage: path of the configuration's section, for errors and the bar.
        hooks: what the stage adds.
        teacher: a Keras 3 model whose outputs config.distillation asks for; else None.

    Returns:
        What was done; the model holds the weights that were kept.

    Raises:
        ConfigError: the optimizer or schedule does not fit.
        TrainingError: the loss is not finite; the step is named.
    """
    trainer = _Trainer(model, data, config, seed, stage, hooks or StepHooks(), teacher)
    trainer.resume(work)
    progress.begin(stage, config.epochs, "epochs")
    try:
        progress.advance(len(trainer.result.history))
        with dropping_less(model, config.dropout_factor):
            trainer.run(work, progress)
    finally:
        progress.end()
    trainer.finish(output)
    return trainer.result


class _Trainer:
    """One fine-tuning: its variables, its step, and its record so far."""

    def __init__(
        self,
        model: tf_keras.Model,
        data: PreparedData,
        config: FineTuneConfig,
        seed: int,
        stage: str,
        hooks: StepHooks,
        teacher: keras.Model | None,
    ) -> None:
        self.model, self.data, self.config = model, data, config
        self.seed, self.stage, self.hooks = seed, stage, hooks
        self.learner, self.teacher = make_crossed_learner(
            model, teacher, config.distillation, seed, stage
        )
        self.metric = data.task.metric
        self.step_batches = batches_of_updates(
            steps_per_epoch(len(data.train), config.samples_in_batch(len(data.train))),
            config.optimizer.gradient_accumulation_steps,
        )
        self.steps = len(self.step_batches)
        self.table = RateTable(config, self.steps)
        self.optimizer = build_tf_keras_optimizer(config.optimizer, stage)
        self.optimizer.build(self.learner.weights)
        self.average = build_average(config.optimizer, model.trainable_variables)
        self.state = TrainingState(model, self.optimizer, self.average, self.learner.projections)
        self.run_steps = build_loop(
            self.learner, self.optimizer, self.table.variable, hooks, data.task,
            self.step_batches, self.average,
        )  # fmt: skip
        self.identity = self._identify()
        self.result = FineTuning()
        self.best: dict[str, np.ndarray] = {}
        self.records: list[np.ndarray] = []

    def resume(self, work: Path) -> None:
        """Takes up the newest checkpoint, if there is one of this very training."""
        checkpoint = load_checkpoint(work)
        if checkpoint is None or checkpoint.state.get("identity") != self.identity:
            return
        self.state.write(checkpoint.arrays)
        self.best = {
            name.removeprefix("best/"): array
            for name, array in checkpoint.arrays.items()
            if name.startswith("best/")
        }
        self.records = [checkpoint.arrays["schedule"]]
        self.result = FineTuning(**checkpoint.state["result"])

    def run(self, work: Path, progress: Progress) -> None:
        """Trains the epochs that are left, with a checkpoint after each."""
        first = len(self.result.history)
        batches = training_batches(
            self.data.train, self.data.task, self.config, self.seed, first, self.config.epochs,
            self.teacher,
        )  # fmt: skip
        iterator = iter(batches)
        for epoch in range(first, self.config.epochs):
            self.table.follow(self.result.history)
            started = time.monotonic()
            figures = self._run_steps(iterator, epoch)
            # Masks are imposed on the average too: its zeros decay, and are none by themselves.
            with average_in_place(self.average):
                self.hooks.epoch_end()
                row = self._summarize(figures, epoch)
                row["seconds"] = time.monotonic() - started
                self.result.history.append(row)
                self._keep_if_best(epoch, row)
            self.result.seconds += row["seconds"]
            self._save(work, epoch + 1)
            progress.advance(1, **shown_figures(row, self.metric))

    def finish(self, output: Path) -> None:
        """Restores the kept weights and writes the two CSV files."""
        if self.best:
            self.state.write(self.best, "model")
        row = self.result.history[self.result.best_epoch - 1]
        self.result.validation = {
            "loss": row["val_loss"],
            self.metric: row[f"val_{self.metric}"],
            "samples": len(self.data.validation),
        }
        write_history(output / "history.csv", self.result.history)
        record = np.concatenate(self.records)
        names = ("learning_rate", "target_sparsity")[: record.shape[1]]
        write_schedule(
            output / "schedule.csv",
            [
                {"step": step, **dict(zip(names, values, strict=True))}
                for step, values in enumerate(record)
            ],
        )

    def _run_steps(self, iterator: Any, epoch: int) -> np.ndarray:
        """Runs an epoch; returns a row of figures for each of its steps."""
        import tensorflow as tf

        parts = []
        for start in range(0, self.steps, STEPS_PER_CALL):
            step, count = epoch * self.steps + start, min(STEPS_PER_CALL, self.steps - start)
            rows = self.run_steps(iterator, tf.constant(step, tf.int64), tf.constant(count)).numpy()
            # A penalty that is not finite shows in the objective only.
            bad = np.flatnonzero(~np.isfinite(rows[:, :2]).all(axis=1))
            if bad.size:
                raise self._not_finite(step + int(bad[0]), epoch, "loss")
            parts.append(rows)
        return np.concatenate(parts)

    def _summarize(self, figures: np.ndarray, epoch: int) -> dict[str, Any]:
        validation = evaluate(self.model, self.data.validation, self.data.task)
        if not np.isfinite(validation["loss"]):
            raise self._not_finite((epoch + 1) * self.steps, epoch, "validation loss")
        self.records.append(figures[:, 4:])
        losses, scores, sizes = (figures[:, column].astype(np.float64) for column in (0, 2, 3))
        return {
            "epoch": epoch + 1,
            "loss": float((losses * sizes).sum() / sizes.sum()),
            self.metric: float(scores.sum() / sizes.sum()),
            "val_loss": validation["loss"],
            f"val_{self.metric}": validation[self.metric],
            # By its text: 0.05, not the 0.05000000074505806 that float32 makes of it.
            "learning_rate": float(str(figures[-1, 4])),
        }

    def _not_finite(self, step: int, epoch: int, what: str) -> TrainingError:
        return TrainingError(
            f"{self.stage}: the {what} is not finite at step {step} (epoch {epoch + 1}); lower "
            f"{self.stage}.optimizer.learning_rate or set gradient_clipping"
        )

    def _keep_if_best(self, epoch: int, row: dict[str, Any]) -> None:
        if epoch < self.hooks.first_candidate:
            return
        kept = self.result.best_epoch
        held = self.result.history[kept - 1] if kept else None
        if held is None or self._merit(row) > self._merit(held):
            self.result.best_epoch = epoch + 1
            # What ends the training needs no copy; an average is put back behind its validation.
            last = epoch + 1 == self.config.epochs and self.average is None
            self.best = {} if last else self.state.read("model")

    def _save(self, work: Path, epoch: int) -> None:
        self.records = [np.concatenate(self.records)]
        others = {f"best/{name}": array for name, array in self.best.items()}
        arrays = self.state.view({"schedule": self.records[0], **others})
        state = {"identity": self.identity, "result": vars(self.result)}
        save_checkpoint(work, epoch, arrays, state)

    def _identify(self) -> str:
        """A digest of what makes this training what it is; another one starts over."""
        variables = self.state.variables.items()
        return sha256_json(
            {
                "config": as_plain_data(self.config),
                "seed": self.seed,
                "stage": self.stage,
                "task": self.data.task.to_json(),
                "samples": len(self.data.train),
                "variables": [[name, list(v.shape), v.dtype.name] for name, v in variables],
            }
        )

    def _merit(self, row: dict[str, Any]) -> tuple[float, float]:
        """The validation metric, then the loss, turned so that more is better."""
        value = row[f"val_{self.metric}"]
        return (value if self.data.task.higher_is_better else -value), -row["val_loss"]
