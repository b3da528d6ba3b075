"""One training with all of its state: built, resumed, advanced epoch by epoch, checkpointed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.artifacts.files import sha256_json
from pipeline.config.load import as_plain_data
from pipeline.data.batches import steps_per_epoch, training_batches
from pipeline.errors import TrainingError
from pipeline.training.accumulation import batches_of_updates
from pipeline.training.averaging import average_in_place, build_average
from pipeline.training.checkpoint import load_checkpoint, save_checkpoint
from pipeline.training.early_stopping import Stopper
from pipeline.training.evaluate import evaluator
from pipeline.training.learner import make_learner
from pipeline.training.loop import EpochRunner, StepFunction, StepRecord, training_function
from pipeline.training.optimizers import build_optimizer
from pipeline.training.precision import scale_losses
from pipeline.training.rates import RateTable
from pipeline.training.state import capture_state, read_weights, restore_state, write_weights

if TYPE_CHECKING:
    import keras

    from pipeline.config.train import TrainConfig
    from pipeline.data.prepared import PreparedData

REMEDY = "lower optimizer.learning_rate, set optimizer.gradient_clipping or warm up"


class TrainingSession:
    """A training between its epochs.

    Attributes:
        history: the rows of the finished epochs.
        rates: float32 (steps so far,), the learning rates that ran.
        step_seconds: of each finished epoch, its mean time of a step, validation left out.
        stopper: the state of early stopping, and which epoch is to be kept.
    """

    def __init__(
        self,
        model: keras.Model,
        data: PreparedData,
        config: TrainConfig,
        seed: int,
        work: Path,
        label: str,
        teacher: keras.Model | None = None,
    ) -> None:
        """Builds the optimizer, then takes over what a checkpoint in `work` holds, if any."""
        import keras

        self._model, self._data, self._config = model, data, config
        self._seed, self._work, self._label = seed, work, label
        self._learner, self._teacher = make_learner(
            keras, model, {layer.name: layer for layer in model.layers}, teacher,
            config.distillation, seed, label,
        )  # fmt: skip
        self._step_batches = batches_of_updates(
            steps_per_epoch(len(data.train), config.samples_in_batch(len(data.train))),
            config.optimizer.gradient_accumulation_steps,
        )
        self._steps = len(self._step_batches)
        self._table = RateTable(config, self._steps)
        self._optimizer = scale_losses(build_optimizer(config.optimizer), config.mixed_precision)
        self._optimizer.build(self._learner.weights)
        weights = [variable.value for variable in model.trainable_variables]
        self._average = build_average(config.optimizer, weights)
        self.evaluate = evaluator(model, data.task)
        self.history: list[dict[str, float]] = []
        self.rates = np.empty(0, np.float32)
        self.step_seconds: list[float] = []
        self.stopper = Stopper()
        self._best: list[np.ndarray] | None = None
        self._identity = self._identify()
        self._resume()

    def run_epochs(self, last_epoch: int) -> Iterator[dict[str, float]]:
        """Trains up to `last_epoch` or the early stop; yields each row once it is on disk.

        Raises:
            TrainingError: a loss is not finite.
            StorageError: the checkpoint cannot be written.
        """
        first_epoch = len(self.history)
        if self.stopper.stopped or first_epoch >= last_epoch:
            return
        batches = training_batches(
            self._data.train, self._data.task, self._config, self._seed, first_epoch, last_epoch,
            self._teacher,
        )  # fmt: skip
        runner = EpochRunner(self._step_function(), iter(batches))
        for epoch in range(first_epoch + 1, last_epoch + 1):
            began = time.perf_counter()
            self._table.follow(self.history)
            record = runner.run((epoch - 1) * self._steps, self._steps)
            self.step_seconds.append((time.perf_counter() - began) / self._steps)
            self._check_steps(record, epoch)
            with average_in_place(self._average):
                row = self._summarize(record, epoch)
                row["seconds"] = time.perf_counter() - began
                self._advance(row, record)
            self._save(epoch)
            yield row
            if self.stopper.stopped:
                return

    def keep_best(self) -> None:
        """Gives the model the weights of the epoch to keep."""
        if self._best is not None:
            write_weights(self._model, self._best)

    def _step_function(self) -> StepFunction:
        return training_function(
            self._learner,
            self._optimizer,
            self._data.task,
            self._table.variable,
            self._step_batches,
            self._average,
        )

    def _others(self) -> dict[str, list[Any]]:
        """What the next step depends on besides the model's variables."""
        others = {"optimizer": list(self._optimizer.variables)}
        if self._learner.projections:
            others["projection"] = list(self._learner.projections)
        return others if self._average is None else {**others, "average": self._average.variables}

    def _identify(self) -> str:
        """A digest of what makes this training what it is; another one starts over."""
        variables = [[list(v.shape), str(v.dtype)] for v in self._model.variables]
        return sha256_json(
            {
                "config": as_plain_data(self._config),
                "seed": self._seed,
                "task": self._data.task.to_json(),
                "samples": len(self._data.train),
                "variables": variables,
            }
        )

    def _resume(self) -> None:
        checkpoint = load_checkpoint(self._work)
        if checkpoint is None or checkpoint.state["identity"] != self._identity:
            return
        self._best = restore_state(self._model, self._others(), checkpoint.arrays)
        self.rates = checkpoint.arrays["learning_rates"]
        self.history = checkpoint.state["history"]
        self.step_seconds = checkpoint.state["step_seconds"]
        self.stopper = Stopper(**checkpoint.state["stopper"])

    def _summarize(self, record: StepRecord, epoch: int) -> dict[str, float]:
        sizes = record.samples.astype(np.float64)
        samples = float(sizes.sum())
        validation = self.evaluate(self._data.validation)
        if not np.isfinite(validation["loss"]):
            raise TrainingError(
                f"{self._label}: the validation loss is {validation['loss']} after epoch {epoch} "
                f"of {self._config.epochs}, expected a finite number; {REMEDY}"
            )
        metric = self._data.task.metric
        return {
            "epoch": epoch,
            "loss": float(np.sum(record.losses * sizes) / samples),
            metric: float(record.scores.sum(dtype=np.float64)) / samples,
            "val_loss": validation["loss"],
            f"val_{metric}": validation[metric],
            "learning_rate": float(str(record.rates[-1])),  # 0.001, not 0.0010000000474974513
        }

    def _advance(self, row: dict[str, float], record: StepRecord) -> None:
        """Takes a finished epoch into the state; the model holds what was validated."""
        self.history.append(row)
        self.rates = np.concatenate([self.rates, record.rates])
        if self.stopper.update(self._config.early_stopping, len(self.history), row):
            self._best = read_weights(self._model)

    def _save(self, epoch: int) -> None:
        """Takes the state to disk; the model holds what the next step goes on from."""
        # The weights of an average that was validated are not the ones to go on from.
        current_is_best = self.stopper.best_epoch == epoch and self._average is None
        state: dict[str, Any] = {
            "identity": self._identity,
            "history": self.history,
            "step_seconds": self.step_seconds,
            "stopper": self.stopper.to_state(),
        }
        weights = self._best if current_is_best else None
        arrays = capture_state(
            read_weights(self._model) if weights is None else weights,
            self._others(),
            None if current_is_best else self._best,
            self.rates,
        )
        save_checkpoint(self._work, epoch, arrays, state)

    def _check_steps(self, record: StepRecord, epoch: int) -> None:
        finite = np.isfinite(record.losses) & np.isfinite(record.objectives)
        if finite.all():
            return
        first = int(np.argmin(finite))
        raise TrainingError(
            f"{self._label}: the loss is {record.objectives[first]} at step "
            f"{(epoch - 1) * self._steps + first} (counted from 0), in epoch {epoch} of "
            f"{self._config.epochs}, at learning rate {record.rates[first]}; expected a finite "
            f"number; {REMEDY}"
        )
