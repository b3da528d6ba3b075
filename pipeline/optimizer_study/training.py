"""One training of a comparison, and what it is recorded as."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from pipeline.artifacts.files import sha256_json
from pipeline.artifacts.fingerprint import cpu_name
from pipeline.config.load import apply_overrides, as_plain_data
from pipeline.errors import TrainingError
from pipeline.progress import SilentProgress
from pipeline.training.checkpoint import load_checkpoint
from pipeline.training.release import release_memory
from pipeline.tuning.trial import build_fresh_model

if TYPE_CHECKING:
    from pipeline.config.optimizer import OptimizerConfig
    from pipeline.config.schema import Config
    from pipeline.data.prepared import PreparedData
    from pipeline.training.fit import EpochCallback

# The first epoch of a sitting includes the tracing of the graph.
UNTIMED_EPOCHS = 1


@dataclass(frozen=True)
class Training:
    """What is trained.

    Attributes:
        label: of the optimizer, for messages.
        optimizer: with its learning rate.
        seed: of the initial weights and the order of samples.
    """

    label: str
    optimizer: OptimizerConfig
    seed: int

    @property
    def key(self) -> str:
        """Names the training within its study: equal trainings are made once."""
        identity = {"optimizer": as_plain_data(self.optimizer), "seed": self.seed}
        return sha256_json(identity)[:16]


def train_once(
    config: Config, training: Training, data: PreparedData, work: Path, on_epoch: EpochCallback
) -> dict[str, Any]:
    """Trains; killed and called again it goes on from its last epoch.

    Args:
        config: what all trainings share, without early stopping.
        training: the optimizer and the seed.
        data: with the splits train and validation.
        work: folder of this training alone.
        on_epoch: called with each new row of the history.

    Returns:
        The outcome: history, train and validation (of the last weights, in inference mode),
        step_seconds (median of the epochs after the first; None with one epoch), seconds,
        state_bytes (what the optimizer keeps), parameters, cpu, load (of the machine, at the end).

    Raises:
        ConfigError: the model or the schedule does not fit.
        TrainingError: the loss is not finite, or there is no memory.
    """
    import tensorflow as tf

    from pipeline.training.fit import fit

    own = apply_overrides(config, {"train.optimizer": as_plain_data(training.optimizer)})
    model = build_fresh_model(own, data, training.seed)
    label = f"{training.label}, seed {training.seed}"
    try:
        result = fit(
            model,
            data,
            own.train,
            training.seed,
            work / "checkpoints",
            work / "output",
            SilentProgress(),
            label=label,
            on_epoch=on_epoch,
        )
    except tf.errors.ResourceExhaustedError as error:
        raise TrainingError(f"{label}: not enough memory for this model") from error
    finally:
        release_memory()  # a long study would keep every model
    timed = result.step_seconds[UNTIMED_EPOCHS:]
    return {
        "history": result.history,
        "train": result.train,
        "validation": result.validation,
        "step_seconds": median(timed) if timed else None,
        "seconds": result.seconds,
        "state_bytes": state_bytes(work / "checkpoints"),
        "parameters": int(model.count_params()),
        "cpu": cpu_name(),
        "load": machine_load(),
    }


def machine_load() -> float | None:
    """Returns how many processes wanted a core during the last minute; None where unknown."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def state_bytes(checkpoints: Path) -> int:
    """Returns the bytes of the optimizer's own variables, as the last checkpoint holds them."""
    checkpoint = load_checkpoint(checkpoints)
    if checkpoint is None:
        raise TrainingError(f"{checkpoints}: no checkpoint after a training; train again")
    arrays = checkpoint.arrays.items()
    return sum(array.nbytes for name, array in arrays if name.startswith("optimizer/"))


def untrained_loss(config: Config, data: PreparedData, seed: int) -> float:
    """Returns the validation loss of the model as this seed initializes it."""
    from pipeline.training.evaluate import evaluate_model

    model = build_fresh_model(config, data, seed)
    return float(evaluate_model(model, data.validation, data.task)["loss"])
