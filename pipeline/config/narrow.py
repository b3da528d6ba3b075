"""`narrow`: whole filters and units removed, then fine-tuning (Li et al. 2017)."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from pipeline.config.base import Section
from pipeline.config.optimizer import OptimizerConfig
from pipeline.config.train import FineTuneConfig, KerasTraining

Fraction = Annotated[float, Field(gt=0, lt=1)]
Importance = Literal["l1", "l2", "batch_norm", "taylor"]
Runtime = Literal["litert", "tflite_micro"]
Figure = Literal["parameters", "macs", "latency"]
FIGURES: tuple[Figure, ...] = get_args(Figure)
DEFAULT_SAMPLES = 512


class NarrowTarget(Section):
    """What is left, as a fraction of the model that the stage is given."""

    parameters: Fraction | None = Field(
        None, description="fraction of the parameters that may remain"
    )
    macs: Fraction | None = Field(
        None, description="fraction of the multiply-accumulates that may remain"
    )
    latency: Fraction | None = Field(
        None,
        description="fraction of the int8 file's latency that may remain, measured on this machine",
    )
    runtime: Runtime | None = Field(
        None,
        description="what runs the files whose latency is measured, by one thread; null: litert",
    )

    @model_validator(mode="after")
    def _is_one(self) -> NarrowTarget:
        given = [name for name in FIGURES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"received {' and '.join(given) or 'nothing'}, expected one of "
                f"{', '.join(FIGURES)}, e.g. {{macs: 0.5}} for half"
            )
        if self.runtime is not None and self.latency is None:
            raise ValueError("runtime: belongs to latency; leave it out")
        return self

    @property
    def figure(self) -> Figure:
        """The name of what is counted or measured."""
        return next(name for name in FIGURES if getattr(self, name) is not None)

    @property
    def fraction(self) -> float:
        """The fraction that may remain."""
        return getattr(self, self.figure)

    @property
    def measured_by(self) -> Runtime:
        """The runtime of a latency."""
        return "litert" if self.runtime is None else self.runtime


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
        NarrowTarget(macs=0.5), description="what may remain: one of parameters, macs and latency"
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
