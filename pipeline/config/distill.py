"""`distill`: a smaller network, the student, learns from the model before it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from pipeline.config.applications import check_application
from pipeline.config.distillation import Distillation
from pipeline.config.model import ModelConfig, check_model_fits_task
from pipeline.config.text_models import check_text_model
from pipeline.config.train import DescentConfig, KerasTraining, TrainConfig

if TYPE_CHECKING:
    from pipeline.config.schema import Config

BESIDES = frozenset({"transfer", "distillation", "dropout_factor"})


class DistillConfig(KerasTraining, Distillation, DescentConfig):
    """The student, how much it listens to its teacher, and its training."""

    student: ModelConfig | None = Field(
        None, description="the network that learns, as in the section model; needed by distill"
    )
    epochs: int = Field(20, ge=1, le=100_000, description="passes over the training split")

    @property
    def training(self) -> TrainConfig:
        """The student's training, in the form of the section train."""
        shared = {
            name: getattr(self, name) for name in TrainConfig.model_fields if name not in BESIDES
        }
        distillation = Distillation(
            **{name: getattr(self, name) for name in Distillation.model_fields}
        )
        return TrainConfig(**shared, distillation=distillation)


def deployed_model(config: Config) -> ModelConfig:
    """Returns the section of the model that the last stages work on: the student, if there is one.

    Args:
        config: the whole configuration.
    """
    distilled = "distill" in config.stages and config.distill.student is not None
    return config.distill.student if distilled else config.model  # type: ignore[return-value]


def check_student(config: Config) -> None:
    """Refuses, before anything is read, a student that does not fit the data or the task.

    Args:
        config: the whole configuration.

    Raises:
        ValueError: the first fault, its field first.
    """
    if "distill" not in config.stages or config.data.task == "parity":
        return  # check_model_file refuses to learn without answers
    student = config.distill.student
    if student is None:
        raise ValueError(
            "distill.student: missing, expected a network as in the section model, such as "
            "{architecture: mlp, units: [32]}"
        )
    if student.architecture == "file":
        raise ValueError(
            "distill.student: received a file, expected an architecture whose weights are fresh; "
            "a model that is there already goes on in train"
        )
    if isinstance(student.weights, Path):
        raise ValueError(
            f"distill.student.weights: received '{student.weights}', expected none or imagenet"
        )
    train = config.train.model_copy(update={"transfer": None})
    alone = config.model_copy(update={"model": student, "train": train})
    try:
        check_model_fits_task(student, config.data.task)
        check_text_model(alone)
        check_application(alone)
    except ValueError as error:
        raise ValueError(f"distill.student: {error}") from error
