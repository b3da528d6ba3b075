"""`train.transfer`, `train.mixed_precision` and `train.devices`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipeline.config.base import Section
from pipeline.config.optimizer import OptimizerConfig
from pipeline.config.schedule import ConstantSchedule, ScheduleConfig
from pipeline.config.schedule_check import check_schedule


def _check_devices(value: Any) -> Any:
    number = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 64
    if number or value == "all":
        return value
    raise ValueError(f"received {value!r}, expected an integer from 1 to 64, or all")


MixedPrecision = Literal["none", "bfloat16", "float16"]
Devices = Annotated[
    Annotated[int, Field(ge=1, le=64)] | Literal["all"],
    # Before the union has its say: pydantic would list the faults of each of its members.
    BeforeValidator(_check_devices),
]


class TransferConfig(Section):
    """Two phases: the head on a frozen base, as `train` says; then the base's end as well."""

    unfreeze_from: str | None = Field(
        None,
        min_length=1,
        description="the second phase trains from this layer on (a name, or a pattern as in "
        "block_15_*, whose first match counts); null: the base stays frozen, one phase",
    )
    epochs: int = Field(5, ge=1, le=100_000, description="of the second phase")
    optimizer: OptimizerConfig = Field(
        OptimizerConfig(learning_rate=1e-5), description="of the second phase; a low rate"
    )
    schedule: ScheduleConfig = Field(ConstantSchedule(), description="of the second phase")

    @model_validator(mode="after")
    def _second_phase_is_meant(self) -> TransferConfig:
        if self.unfreeze_from is not None:
            check_schedule(self.schedule, self.epochs, self.optimizer.learning_rate)
            return self
        fields = type(self).model_fields
        given = [name for name, value in self if value != fields[name].default]
        if given:
            raise ValueError(
                f"{given[0]} is the second phase's, which runs only with unfreeze_from; name the "
                f"first layer to train, or leave {given[0]} out"
            )
        return self
