"""Learning-rate schedules: the `schedule` of `train`, `prune`, `cluster` and `quantize.qat`.

The formulae stand in pipeline/training/schedules.py and decays.py.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from pipeline.config.base import Section
from pipeline.config.duration import Duration
from pipeline.config.figures import ValidationFigure


def _above_zero(duration: Duration) -> Duration:
    if duration.amount <= 0:
        raise ValueError("expected more than 0")
    return duration


Span = Annotated[Duration, AfterValidator(_above_zero)]

# Behind a discriminator pydantic refuses a list for a tuple in strict mode, though the input
# was JSON (pydantic 2.14.3).
_AS_TUPLE = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
_Factor = Annotated[float, Field(ge=0, le=1000)]
_FINAL_FRACTION = Field(0.0, ge=0, le=1, description="last rate / learning rate")


class _Schedule(Section):
    warmup: Duration = Field(
        Duration(0, "steps"), description="linear rise to the learning rate, before all else"
    )
    warmup_start_fraction: float = Field(
        0.0, ge=0, le=1, description="first rate of the warm-up / learning rate"
    )

    @model_validator(mode="after")
    def _start_needs_warmup(self) -> Any:
        if self.warmup_start_fraction > 0 and self.warmup.amount == 0:
            raise ValueError("warmup_start_fraction needs a warmup, e.g. warmup: 1 epochs")
        return self


class ConstantSchedule(_Schedule):
    """The same rate at every step."""

    kind: Literal["constant"] = "constant"


class StepSchedule(_Schedule):
    """rate · drop ^ floor(t / every)."""

    kind: Literal["step"]
    drop: float = Field(gt=0, le=1, description="factor at each fall")
    every: Span = Field(description="time between two falls")


class PiecewiseSchedule(_Schedule):
    """rate · factors[i] between boundary i - 1 and boundary i."""

    kind: Literal["piecewise"]
    boundaries: Annotated[tuple[Span, ...], _AS_TUPLE] = Field(
        min_length=1,
        description="when the factor changes, rising, counted from the start of the training",
    )
    factors: Annotated[tuple[_Factor, ...], _AS_TUPLE] = Field(
        description="on the learning rate, one more than boundaries; with learning_rate 1 these "
        "are the rates"
    )

    @model_validator(mode="after")
    def _fits(self) -> PiecewiseSchedule:
        if len(self.factors) != len(self.boundaries) + 1:
            raise ValueError(
                f"{len(self.boundaries)} boundaries and {len(self.factors)} factors, expected "
                "one factor more than boundaries"
            )
        for before, after in zip(self.boundaries, self.boundaries[1:], strict=False):
            if before.unit == after.unit and before.amount >= after.amount:
                raise ValueError(f"boundaries: {after.text()} does not come after {before.text()}")
        return self


class ExponentialSchedule(_Schedule):
    """rate · decay_rate ^ (t / decay_steps); with `staircase` the exponent is rounded down."""

    kind: Literal["exponential"]
    decay_rate: float = Field(gt=0, le=1, description="factor of one period")
    decay_steps: Span = Field(Duration(1, "epochs"), description="length of one period")
    staircase: bool = Field(False, description="fall at the end of a period, not within it")


class InverseTimeSchedule(_Schedule):
    """rate / (1 + decay_rate · t / decay_steps); with `staircase` the quotient is rounded down."""

    kind: Literal["inverse_time"]
    decay_rate: float = Field(ge=0, le=1e6, description="0: constant; 1: halved after one period")
    decay_steps: Span = Field(Duration(1, "epochs"), description="length of one period")
    staircase: bool = Field(False, description="fall at the end of a period, not within it")


class PolynomialSchedule(_Schedule):
    """rate · (a + (1 - a) · (1 - t / decay_steps) ^ power) with a = final_fraction."""

    kind: Literal["polynomial"]
    power: float = Field(1.0, gt=0, le=100, description="1 is a straight line")
    final_fraction: float = _FINAL_FRACTION
    decay_steps: Span | None = Field(
        None, description="length of the fall; null: the rest of the training"
    )
    cycle: bool = Field(False, description="after decay_steps rise again, for ever longer falls")

    @model_validator(mode="after")
    def _fits(self) -> PolynomialSchedule:
        if self.cycle and self.decay_steps is None:
            raise ValueError("cycle needs decay_steps, e.g. decay_steps: 20%")
        return self


class CosineSchedule(_Schedule):
    """Half a cosine from the rate to `final_fraction` of it (Loshchilov & Hutter 2017)."""

    kind: Literal["cosine"]
    final_fraction: float = _FINAL_FRACTION


class CosineRestartsSchedule(_Schedule):
    """Falling half cosines, each begun anew (SGDR, Loshchilov & Hutter 2017)."""

    kind: Literal["cosine_restarts"]
    first_decay_steps: Span = Field(description="length of the first period")
    t_mul: float = Field(2.0, ge=1, le=100, description="length of a period / the one before")
    m_mul: float = Field(1.0, gt=0, le=1, description="height of a period / the one before")
    final_fraction: float = _FINAL_FRACTION


class OneCycleSchedule(_Schedule):
    """Up to the learning rate and down to almost nothing (Smith & Topin 2018); rate only."""

    kind: Literal["one_cycle"]
    rise: Span = Field(Duration(0.3, "fraction"), description="until the learning rate is reached")
    initial_fraction: float = Field(0.04, ge=0, le=1, description="first rate / learning rate")
    final_fraction: float = Field(4e-6, ge=0, le=1, description="last rate / learning rate")
    anneal: Literal["cosine", "linear"] = Field("cosine", description="form of rise and fall")


class HoldThenDecaySchedule(_Schedule):
    """Constant for a while, then × e ^ -decay at the start of each further epoch."""

    kind: Literal["hold_then_decay"]
    hold: Duration = Field(Duration(10, "epochs"), description="time at the full learning rate")
    decay: float = Field(0.1, gt=0, le=100, description="each fall is × e ^ -decay")
    every: Span = Field(Duration(1, "epochs"), description="time between two falls")


class ReduceOnPlateauSchedule(_Schedule):
    """× factor at the end of an epoch when a validation figure no longer gets better."""

    kind: Literal["reduce_on_plateau"]
    monitor: ValidationFigure = Field("val_loss", description="figure of validation data")
    factor: float = Field(0.1, gt=0, lt=1, description="of the rate at each reduction")
    patience: int = Field(10, ge=1, description="epochs without a better figure before a reduction")
    min_delta: float = Field(1e-4, ge=0, description="the least change that counts as better")
    cooldown: int = Field(0, ge=0, description="epochs after a reduction that are not counted")
    min_lr: float = Field(0.0, ge=0, description="the rate is never reduced below this")


ScheduleConfig = Annotated[
    ConstantSchedule
    | StepSchedule
    | PiecewiseSchedule
    | ExponentialSchedule
    | InverseTimeSchedule
    | PolynomialSchedule
    | CosineSchedule
    | CosineRestartsSchedule
    | OneCycleSchedule
    | HoldThenDecaySchedule
    | ReduceOnPlateauSchedule,
    Field(discriminator="kind", description="how the learning rate moves"),
]
