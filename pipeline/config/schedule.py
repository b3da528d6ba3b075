"""Learning-rate schedules: `train.schedule`, `prune.schedule`, `quantize.qat.schedule`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.base import Section
from pipeline.config.duration import Duration


class _Schedule(Section):
    warmup: Duration = Field(
        Duration(0, "steps"), description="linear rise from 0 to the learning rate"
    )


class ConstantSchedule(_Schedule):
    """The same rate at every step."""

    kind: Literal["constant"] = "constant"


class ExponentialSchedule(_Schedule):
    """rate · decay_rate ^ (t / decay_every); with `staircase` the exponent is rounded down."""

    kind: Literal["exponential"]
    decay_rate: float = Field(gt=0, le=1, description="factor of one period")
    decay_every: Duration = Field(Duration(1, "epochs"), description="length of one period")
    staircase: bool = Field(False, description="fall at the end of a period, not within it")


class StepSchedule(_Schedule):
    """rate · drop ^ floor(t / every)."""

    kind: Literal["step"]
    drop: float = Field(gt=0, le=1, description="factor at each fall")
    every: Duration = Field(description="time between two falls")


class CosineSchedule(_Schedule):
    """Half a cosine from the rate to `final_fraction` of it (Loshchilov & Hutter 2017)."""

    kind: Literal["cosine"]
    final_fraction: float = Field(0.0, ge=0, le=1, description="last rate / first rate")


ScheduleConfig = Annotated[
    ConstantSchedule | ExponentialSchedule | StepSchedule | CosineSchedule,
    Field(discriminator="kind"),
]
