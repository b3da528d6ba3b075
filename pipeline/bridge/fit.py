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

from pipeline.bridge.optimizers import build_tf_keras_optimizer
from pipeline.bridge.start import without_autograph
from pipeline.bridge.state import TrainingState
from pipeline.bridge.steps import StepHooks, build_loop
from pipeline.compression.statistics import cross_entropy
from pipeline.data.batches import steps_per_epoch, training_batches
from pipeline.errors import TrainingError
from pipeline.training.checkpoint import load_checkpoint, save_checkpoint
from pipeline.training.history import write_history, write_schedule
from pipeline.training.schedules import learning_rates

if TYPE_CHECKING:
    import tf_keras

    from pipeline.config.train import FineTuneConfig
    from pipeline.data.prepared import PreparedData, Split
    from pipeline.progress import Progress

STEPS_PER_CALL = 64
EVALUATION_BATCH = 256


@dataclass
class FineTuning:
    """What a fine-tuning did; on return the model holds the weights of `best_epoch`.

    Attributes:
        history: one row per epoch (epoch from 1, loss, accuracy, val_loss, val_accuracy,
            learning_rate, seconds).
        best_epoch: from 1; the best by validation accuracy, then loss, among the candidates.
        validation: loss, accuracy, samples of the weights that were kept.
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
) -> FineTuning:
    """Trains a tf_keras model on (train, validation), going on from the last checkpoint.

    Args:
        model: one input, one output of logits (batch, classes).
        data: with the train and validation splits.
        config: epochs, batch size, optimizer, schedule.
        seed: draws the order of the samples with the epoch.
        work: folder for checkpoints; survives a kill.
        output: folder for history.csv and schedule.csv.
        progress: told each epoch.
        stage: path of the configuration's section, for errors and the bar.
        hooks: what the stage adds.

    Returns:
        What was done; the model holds the weights that were kept.

    Raises:
        ConfigError: the optimizer or schedule does not fit.
        TrainingError: the loss is not finite; the step is named.
    """
    trainer = _Trainer(model, data, config, seed, stage, hooks or StepHooks())
    trainer.resume(work)
    progress.begin(stage, config.epochs, "epochs")
    try:
        progress.advance(len(trainer.result.history))
        trainer.run(work, progress)
    finally:
        progress.end()
    trainer.finish(output)
    return trainer.result


def evaluate(model: tf_keras.Model, split: Split) -> dict[str, Any]:
    """Returns loss (mean cross-entropy from logits, float64), accuracy and samples."""
    logits = predict(model, split.x)
    return {
        "loss": cross_entropy(logits, split.y),
        "accuracy": float(np.mean(logits.argmax(axis=1) == split.y)),
        "samples": len(split),
    }


def predict(model: tf_keras.Model, x: np.ndarray) -> np.ndarray:
    """Returns the model's output in inference mode, float32 (n, …)."""
    import tensorflow as tf

    if getattr(model, "_slimline_predict", None) is None:
        signature = [tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)]
        model._slimline_predict = tf.function(
            without_autograph(lambda batch: model(batch, training=False)),
            input_signature=signature,
            autograph=False,
        )
    starts = range(0, len(x), EVALUATION_BATCH)
    parts = [model._slimline_predict(tf.constant(x[i : i + EVALUATION_BATCH])) for i in starts]
    return np.concatenate([part.numpy() for part in parts])


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
    ) -> None:
        self.model, self.data, self.config = model, data, config
        self.seed, self.stage, self.hooks = seed, stage, hooks
        self.steps = steps_per_epoch(len(data.train), config.batch_size)
        rates = learning_rates(
            config.schedule, config.optimizer.learning_rate, self.steps, config.epochs
        )
        self.optimizer = build_tf_keras_optimizer(config.optimizer, stage)
        self.optimizer.build(model.trainable_variables)
        self.state = TrainingState(model, self.optimizer)
        self.run_steps = build_loop(model, self.optimizer, rates, hooks)
        self.result = FineTuning()
        self.best: dict[str, np.ndarray] = {}
        self.records: list[np.ndarray] = []

    def resume(self, work: Path) -> None:
        """Takes up the newest checkpoint, if there is one."""
        checkpoint = load_checkpoint(work)
        if checkpoint is None:
            return
        self.state.write(checkpoint.arrays)
        self.best = {
            name.removeprefix("best/"): array
            for name, array in checkpoint.arrays.items()
            if name.startswith("best/")
        }
        self.records = [checkpoint.arrays["schedule"]]
        self.result = FineTuning(**checkpoint.state)

    def run(self, work: Path, progress: Progress) -> None:
        """Trains the epochs that are left, with a checkpoint after each."""
        first = len(self.result.history)
        batches = training_batches(
            self.data.train, self.config.batch_size, self.seed, first, self.config.epochs
        )
        iterator = iter(batches)
        for epoch in range(first, self.config.epochs):
            row = self._run_epoch(iterator, epoch)
            self._keep_if_best(epoch, row)
            self.result.seconds += row["seconds"]
            self._save(work, epoch + 1)
            progress.advance(1, loss=row["loss"], val_accuracy=row["val_accuracy"])

    def finish(self, output: Path) -> None:
        """Restores the kept weights and writes the two CSV files."""
        self.state.write(self.best, "model")
        row = self.result.history[self.result.best_epoch - 1]
        self.result.validation = {
            "loss": row["val_loss"],
            "accuracy": row["val_accuracy"],
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

    def _run_epoch(self, iterator: Any, epoch: int) -> dict[str, Any]:
        started = time.monotonic()
        parts = []
        for start in range(0, self.steps, STEPS_PER_CALL):
            count = min(STEPS_PER_CALL, self.steps - start)
            parts.append(self._run_chunk(iterator, epoch, epoch * self.steps + start, count))
        figures = np.concatenate(parts)
        self.hooks.epoch_end()
        validation = evaluate(self.model, self.data.validation)
        if not np.isfinite(validation["loss"]):
            raise self._not_finite((epoch + 1) * self.steps, epoch, "validation loss")
        self.records.append(figures[:, 3:])
        samples = figures[:, 2].sum()
        row = {
            "epoch": epoch + 1,
            "loss": float((figures[:, 0].astype(np.float64) * figures[:, 2]).sum() / samples),
            "accuracy": float(figures[:, 1].sum() / samples),
            "val_loss": validation["loss"],
            "val_accuracy": validation["accuracy"],
            # By its text: 0.05, not the 0.05000000074505806 that float32 makes of it.
            "learning_rate": float(str(figures[-1, 3])),
            "seconds": time.monotonic() - started,
        }
        self.result.history.append(row)
        return row

    def _run_chunk(self, iterator: Any, epoch: int, step: int, count: int) -> np.ndarray:
        import tensorflow as tf

        first = tf.constant(step, tf.int64)
        figures = self.run_steps(iterator, first, tf.constant(count)).numpy()
        bad = np.flatnonzero(~np.isfinite(figures[:, 0]))
        if bad.size:
            raise self._not_finite(step + int(bad[0]), epoch, "loss")
        return figures

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
        if held is None or _score(row) > _score(held):
            self.result.best_epoch = epoch + 1
            self.best = self.state.read("model")

    def _save(self, work: Path, epoch: int) -> None:
        self.records = [np.concatenate(self.records)]
        arrays = {**self.state.read(), "schedule": self.records[0]}
        arrays |= {f"best/{name}": array for name, array in self.best.items()}
        save_checkpoint(work, epoch, arrays, vars(self.result))


def _score(row: dict[str, Any]) -> tuple[float, float]:
    return row["val_accuracy"], -row["val_loss"]
