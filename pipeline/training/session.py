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
from pipeline.training.checkpoint import load_checkpoint, save_checkpoint
from pipeline.training.early_stopping import Stopper
from pipeline.training.evaluate import evaluator
from pipeline.training.loop import EpochRunner, StepRecord, training_function
from pipeline.training.optimizers import build_optimizer
from pipeline.training.schedules import learning_rates
from pipeline.training.state import capture_state, read_weights, restore_state, write_weights

if TYPE_CHECKING:
    import keras

    from pipeline.config.train import TrainConfig
    from pipeline.data.prepared import PreparedData

REMEDY = "lower train.optimizer.learning_rate, set train.optimizer.gradient_clipping or warm up"


class TrainingSession:
    """A training between its epochs.

    Attributes:
        history: the rows of the finished epochs.
        rates: float32 (steps so far,), the learning rates that ran.
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
    ) -> None:
        """Builds the optimizer, then takes over what a checkpoint in `work` holds, if any."""
        self._model, self._data, self._config = model, data, config
        self._seed, self._work, self._label = seed, work, label
        self._steps = steps_per_epoch(len(data.train), config.batch_size)
        base_rate = config.optimizer.learning_rate
        table = learning_rates(config.schedule, base_rate, self._steps, config.epochs)
        self._optimizer = build_optimizer(config.optimizer, table)
        self._optimizer.build(model.trainable_variables)
        self.evaluate = evaluator(model)
        self.history: list[dict[str, float]] = []
        self.rates = np.empty(0, np.float32)
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
            self._data.train, self._config.batch_size, self._seed, first_epoch, last_epoch
        )
        runner = EpochRunner(training_function(self._model, self._optimizer), iter(batches))
        for epoch in range(first_epoch + 1, last_epoch + 1):
            began = time.perf_counter()
            record = runner.run(self._steps)
            self._check_steps(record, epoch)
            row = self._summarize(record, epoch)
            row["seconds"] = time.perf_counter() - began
            self._advance(row, record)
            yield row
            if self.stopper.stopped:
                return

    def keep_best(self) -> None:
        """Gives the model the weights of the epoch to keep."""
        if self._best is not None:
            write_weights(self._model, self._best)

    def _identify(self) -> str:
        """A digest of what makes this training what it is; another one starts over."""
        variables = [[list(v.shape), str(v.dtype)] for v in self._model.variables]
        return sha256_json(
            {
                "config": as_plain_data(self._config),
                "seed": self._seed,
                "samples": len(self._data.train),
                "variables": variables,
            }
        )

    def _resume(self) -> None:
        checkpoint = load_checkpoint(self._work)
        if checkpoint is None or checkpoint.state["identity"] != self._identity:
            return
        self._best = restore_state(self._model, self._optimizer, checkpoint.arrays)
        self.rates = checkpoint.arrays["learning_rates"]
        self.history = checkpoint.state["history"]
        self.stopper = Stopper(**checkpoint.state["stopper"])

    def _summarize(self, record: StepRecord, epoch: int) -> dict[str, float]:
        samples = len(self._data.train)
        sizes = np.full(self._steps, self._config.batch_size, np.float64)
        sizes[-1] = samples - (self._steps - 1) * self._config.batch_size
        validation = self.evaluate(self._data.validation)
        if not np.isfinite(validation["loss"]):
            raise TrainingError(
                f"{self._label}: the validation loss is {validation['loss']} after epoch {epoch} "
                f"of {self._config.epochs}, expected a finite number; {REMEDY}"
            )
        return {
            "epoch": epoch,
            "loss": float(np.sum(record.losses * sizes) / samples),
            "accuracy": int(record.hits.sum()) / samples,
            "val_loss": validation["loss"],
            "val_accuracy": validation["accuracy"],
            "learning_rate": float(str(record.rates[-1])),  # 0.001, not 0.0010000000474974513
        }

    def _advance(self, row: dict[str, float], record: StepRecord) -> None:
        """Takes a finished epoch into the state, and the state to disk."""
        self.history.append(row)
        self.rates = np.concatenate([self.rates, record.rates])
        epoch = len(self.history)
        weights = read_weights(self._model)
        if self.stopper.update(self._config.early_stopping, epoch, row):
            self._best = weights
        best = None if self.stopper.best_epoch == epoch else self._best
        state: dict[str, Any] = {
            "identity": self._identity,
            "history": self.history,
            "stopper": self.stopper.to_state(),
        }
        arrays = capture_state(weights, self._optimizer, best, self.rates)
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
