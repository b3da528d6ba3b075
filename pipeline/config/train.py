"""`train`, and the settings that every fine-tuning stage shares with it."""

from __future__ import annotations

from pydantic import Field, model_validator

from pipeline.config.augmentation import Augmentation
from pipeline.config.base import Section
from pipeline.config.batch_size import BatchSize, resolve_batch_size
from pipeline.config.distillation import Distillation
from pipeline.config.figures import ValidationFigure
from pipeline.config.mixing import ClassWeights
from pipeline.config.optimizer import OptimizerConfig
from pipeline.config.schedule import ConstantSchedule, ScheduleConfig
from pipeline.config.schedule_check import check_schedule
from pipeline.config.transfer import Devices, MixedPrecision, TransferConfig


class DescentConfig(Section):
    """Gradient descent for some epochs: batch size, optimizer, learning-rate schedule."""

    epochs: int = Field(10, ge=1, le=100_000, description="passes over the training split")
    batch_size: BatchSize = Field(
        32, description="samples in a batch; full: all of them, which is batch gradient descent"
    )
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ConstantSchedule()
    augmentation: Augmentation | None = Field(
        None, description="random changes of the training samples; null: none"
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="part of each answer that is spread over all classes"
    )
    mixup: float = Field(
        0.0, ge=0, le=100, description="α of mixup's Beta(α, α), often 0.1 to 0.4; 0: none"
    )
    class_weights: ClassWeights | None = Field(
        None,
        description="factors of the loss: balanced (n / (k · n_c)), or class name: weight; null: "
        "all 1",
    )

    @model_validator(mode="after")
    def _fits(self) -> DescentConfig:
        check_schedule(self.schedule, self.epochs, self.optimizer.learning_rate)
        if self.batch_size == "full" and self.optimizer.gradient_accumulation_steps > 1:
            raise ValueError(
                "batch_size: full has one batch an epoch, gradient_accumulation_steps "
                f"{self.optimizer.gradient_accumulation_steps} needs several; give a number"
            )
        return self

    def samples_in_batch(self, samples: int) -> int:
        """Returns the batch size as a number, for so many training samples."""
        return resolve_batch_size(self.batch_size, samples)

    def updates_per_epoch(self, samples: int) -> int:
        """Returns the optimizer's updates in an epoch of so many training samples.

        These are the steps that schedules count: one per batch, or one per
        gradient_accumulation_steps batches; the last one of an epoch takes what is left.
        """
        batches = -(-samples // self.samples_in_batch(samples))
        return -(-batches // self.optimizer.gradient_accumulation_steps)


class FineTuneConfig(DescentConfig):
    """Gradient descent for some epochs, on answers and, if asked for, on those of a teacher."""

    distillation: Distillation | None = Field(
        None, description="learn from the float model before this stage too; null: none"
    )
    dropout_factor: float = Field(
        1.0,
        ge=0,
        le=1,
        description="on each dropout rate of the model, here alone; 0 drops nothing",
    )


class EarlyStopping(Section):
    """Stops when the validation figure no longer gets better; the best weights are kept."""

    monitor: ValidationFigure = Field("val_loss", description="figure of validation data")
    patience: int = Field(5, ge=0, description="epochs without a better figure before the stop")
    min_delta: float = Field(0.0, ge=0, description="the least change that counts as better")


class KerasTraining(Section):
    """What a training of Keras 3 has and one behind the bridge does not."""

    early_stopping: EarlyStopping | None = Field(
        None, description="none: all epochs are run and the last weights kept"
    )
    mixed_precision: MixedPrecision = Field(
        "none", description="what layers compute in while training; weights stay float32"
    )
    devices: Devices = Field(
        1, description="GPUs that share each batch (MirroredStrategy); all: as many as there are"
    )


class TrainConfig(KerasTraining, FineTuneConfig):
    """The first training."""

    epochs: int = Field(20, ge=1, le=100_000, description="passes over the training split")
    transfer: TransferConfig | None = Field(
        None, description="frozen base first, for applications/*; null: all layers from the start"
    )

    def second_phase(self) -> TrainConfig:
        """Returns the settings of the training after the base is unfrozen; transfer is set."""
        if self.transfer is None:
            raise ValueError("train.transfer is not set, so there is no second phase")
        own = ("epochs", "optimizer", "schedule")
        values = dict(self) | {name: getattr(self.transfer, name) for name in own}
        return TrainConfig(**values | {"transfer": None})

    @model_validator(mode="after")
    def _second_phase_fits(self) -> TrainConfig:
        if self.transfer is not None and self.transfer.unfreeze_from is not None:
            self.second_phase()
        return self
