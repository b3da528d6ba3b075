"""What a trial is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config.load import as_plain_data, validate
from pipeline.progress import SilentProgress
from pipeline.tuning.steps import Steps

if TYPE_CHECKING:
    from pipeline.config.schema import Config
    from pipeline.data.prepared import PreparedData
    from pipeline.tflite.worker import ConversionWorker
    from pipeline.training.fit import EpochCallback

Figures = dict[str, float]


@dataclass(frozen=True)
class TrialTask:
    """What is to be done.

    Attributes:
        trial: "0000", "0001", …
        config: with the hyperparameters in it; train.epochs is tune.epochs.
        steps: what the trial does.
        seed: of the weights and of the order of samples, the same for all trials.
        work: this trial's own folder, which survives a kill.
        stop_epoch: train up to this epoch, counted from the very first one.
        parent: the folder of the trial whose training goes on, or None.
    """

    trial: str
    config: Config
    steps: Steps
    seed: int
    work: Path
    stop_epoch: int
    parent: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns the fields as JSON values, for a worker process."""
        return {
            "trial": self.trial,
            "config": as_plain_data(self.config),
            "steps": self.steps.to_json(),
            "seed": self.seed,
            "work": str(self.work.resolve()),
            "stop_epoch": self.stop_epoch,
            "parent": None if self.parent is None else str(self.parent.resolve()),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> TrialTask:
        """Returns the task that `to_json` described."""
        parent = value["parent"]
        return cls(
            value["trial"],
            validate(value["config"]),
            Steps(**value["steps"]),
            value["seed"],
            Path(value["work"]),
            value["stop_epoch"],
            None if parent is None else Path(parent),
        )


@dataclass(frozen=True)
class TrialInputs:
    """What all trials work on.

    Attributes:
        data: with the splits train and validation.
        base_model: file of the model before tune; None where trials train their own.
        converter: starts, or returns, the child process that converts.
    """

    data: PreparedData
    base_model: Path | None
    converter: Callable[[], ConversionWorker]


class Epochs(SilentProgress):
    """Turns what a training tells its bar into rows of a trial's history."""

    def __init__(self, key: str, on_epoch: EpochCallback) -> None:
        """Takes the name of the rows' counter and who gets them."""
        self._key, self._on_epoch, self._epoch = key, on_epoch, 0

    def begin(self, label: str, total: int, unit: str) -> None:
        """Counts anew: a bar of something else may have gone before the training's."""
        self._epoch = 0

    def advance(self, amount: int = 1, **figures: float) -> None:
        """Hands on an epoch; one without figures was done in an earlier sitting."""
        self._epoch += amount
        if figures:
            self._on_epoch({self._key: self._epoch, **figures})


TrialFunction = Callable[[TrialTask, Any, "EpochCallback"], Figures]


def figures_of(validation: dict[str, float]) -> Figures:
    """Returns {"val_loss", "val_<metric>"} of a model's validation figures."""
    return {f"val_{name}": value for name, value in validation.items() if name != "samples"}
