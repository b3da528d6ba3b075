"""`narrow`: whole filters and units removed, then fine-tuning (Li et al. 2017)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.config.base import Section
from pipeline.config.optimizer import OptimizerConfig
from pipeline.config.train import FineTuneConfig, KerasTraining

Fraction = Annotated[float, Field(gt=0, lt=1)]
Importance = Literal["l1", "l2", "batch_norm", "taylor"]
DEFAULT_SAMPLES = 512


class NarrowTarget(Section):
    """What is left, as a fraction of the model that the stage is given."""

    parameters: Fraction | None = Field(
        None, description="fraction of the parameters that may remain"
    )
    macs: Fraction | None = Field(
        None, description="fraction of the multiply-accumulates that may remain"
    )

    @model_validator(mode="after")
    def _is_one(self) -> NarrowTarget:
        if (self.parameters is None) == (self.macs is None):
            raise ValueError("expected one of parameters and macs, e.g. {macs: 0.5} for half")
        return self

    @property
    def figure(self) -> str:
        """The name of what is counted."""
        return "macs" if self.parameters is None else "parameters"

    @property
    def fraction(self) -> float:
        """The fraction that may remain."""
        return getattr(self, self.figure)


class LayerNarrowing(Section):
    """What differs for the layers whose name matches the pattern."""

    skip: bool = Field(description="true: these layers keep all filters or units")

    @model_validator(mode="after")
    def _says_something(self) -> LayerNarrowing:
        if not self.skip:
            raise ValueError("expected skip: true; leave the pattern out otherwise")
        return self


class NarrowConfig(KerasTraining, FineTuneConfig):
    """How much is left, which filters and units go, and the fine-tuning afterwards."""

    epochs: int = Field(10, ge=1, le=100_000, description="passes over the training split")
    optimizer: OptimizerConfig = OptimizerConfig()
    target: NarrowTarget = Field(
        NarrowTarget(macs=0.5), description="what may remain: one of parameters and macs"
    )
    importance: Importance = Field(
        "l1",
        description="what goes first: the smallest norm of the weights (l1, l2), |gamma| "
        "(batch_norm), or estimated change of the loss (taylor)",
    )
    distribution: Literal["uniform", "sensitivity"] = Field(
        "sensitivity",
        description="the same fraction everywhere, or more where the validation loss rises less",
    )
    samples: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="training samples for taylor, validation samples for sensitivity; "
        f"null: {DEFAULT_SAMPLES} of each",
    )
    min_channels: int = Field(4, ge=1, description="filters or units that every layer keeps")
    layers: dict[str, LayerNarrowing] = Field(
        default_factory=dict,
        description="name pattern (fnmatch) → what differs; the first match wins",
    )

    @model_validator(mode="after")
    def _samples_are_used(self) -> NarrowConfig:
        if self.samples is None or self.importance == "taylor":
            return self
        if self.distribution != "sensitivity":
            raise ValueError(
                f"samples: importance {self.importance} and distribution {self.distribution} look "
                "at no samples; leave it out"
            )
        return self

    @property
    def sample_count(self) -> int:
        """Samples that are looked at."""
        return DEFAULT_SAMPLES if self.samples is None else self.samples
