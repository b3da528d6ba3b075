"""`prune`: magnitude pruning with fine-tuning (Zhu & Gupta 2017)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.config.base import Section
from pipeline.config.duration import Duration
from pipeline.config.optimizer import OptimizerConfig
from pipeline.config.train import FineTuneConfig

Sparsity = Annotated[float, Field(ge=0, lt=1)]


class PolynomialPruning(Section):
    """s(t) = final + (initial - final) · (1 - (t - begin) / (end - begin)) ^ power."""

    kind: Literal["polynomial"] = "polynomial"
    initial_sparsity: Sparsity = Field(0.0, description="fraction of zeros at begin_step")
    final_sparsity: Sparsity = Field(0.8, description="fraction of zeros from end_step on")
    begin_step: Duration = Field(Duration(0, "steps"), description="first step that prunes")
    end_step: Duration = Field(
        Duration(0.7, "fraction"), description="when the final sparsity is reached"
    )
    frequency: Duration = Field(Duration(10, "steps"), description="between two mask updates")
    power: float = Field(3.0, gt=0, description="exponent; 3 is the cubic schedule")

    @model_validator(mode="after")
    def _rises(self) -> PolynomialPruning:
        if self.initial_sparsity > self.final_sparsity:
            raise ValueError(
                f"initial_sparsity {self.initial_sparsity} is above "
                f"final_sparsity {self.final_sparsity}"
            )
        return self


class ConstantPruning(Section):
    """The final sparsity from `begin_step` on."""

    kind: Literal["constant"]
    final_sparsity: Sparsity = Field(description="fraction of zeros")
    begin_step: Duration = Field(Duration(0, "steps"), description="first step that prunes")
    end_step: Duration | None = Field(None, description="masks are fixed from here; default never")
    frequency: Duration = Field(Duration(10, "steps"), description="between two mask updates")


class LayerPruning(Section):
    """What differs for the layers whose name matches the pattern."""

    skip: bool = Field(False, description="leave these layers dense")
    initial_sparsity: Sparsity | None = Field(None, description="instead of the schedule's")
    final_sparsity: Sparsity | None = Field(None, description="instead of the schedule's")

    @model_validator(mode="after")
    def _says_something(self) -> LayerPruning:
        sparsities = (self.initial_sparsity, self.final_sparsity)
        if self.skip and sparsities != (None, None):
            raise ValueError("skip: true leaves no sparsity to set")
        if not self.skip and sparsities == (None, None):
            raise ValueError("expected skip: true, or a sparsity")
        return self


class PruneConfig(FineTuneConfig):
    """Which fraction of the weights goes, how fast, and the fine-tuning meanwhile."""

    epochs: int = Field(10, ge=1, le=100_000, description="passes over the training split")
    optimizer: OptimizerConfig = OptimizerConfig()
    pruning_schedule: Annotated[
        PolynomialPruning | ConstantPruning,
        Field(discriminator="kind", description="how the sparsity rises"),
    ] = PolynomialPruning()
    layers: dict[str, LayerPruning] = Field(
        default_factory=dict,
        description="name pattern (fnmatch) → what differs; the first match wins",
    )
