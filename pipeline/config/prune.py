"""`prune`: magnitude pruning with fine-tuning (Zhu & Gupta 2017)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from pipeline.config.base import Section
from pipeline.config.duration import Duration
from pipeline.config.narrow import DEFAULT_SAMPLES
from pipeline.config.optimizer import OptimizerConfig
from pipeline.config.train import FineTuneConfig

Sparsity = Annotated[float, Field(ge=0, lt=1)]
Distribution = Literal["uniform", "erk", "global", "lamp", "sensitivity"]
# They rank single weights, of which a block has several.
SINGLE_WEIGHTS = ("global", "lamp")
Size = Annotated[int, Field(ge=1)]


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


class PruningOnce(Section):
    """Masks are made at `begin_step` and kept: for `sparsity_m_by_n` (Mishra et al. 2021)."""

    kind: Literal["once"]
    begin_step: Duration = Field(Duration(0, "steps"), description="the step that prunes")


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


def _default_schedule(values: dict[str, Any]) -> PolynomialPruning | PruningOnce:
    if values.get("sparsity_m_by_n") is not None:
        return PruningOnce(kind="once")
    return PolynomialPruning()


class PruneConfig(FineTuneConfig):
    """Which fraction of the weights goes, from where, how fast, and the fine-tuning meanwhile."""

    epochs: int = Field(10, ge=1, le=100_000, description="passes over the training split")
    optimizer: OptimizerConfig = OptimizerConfig()
    distribution: Distribution | None = Field(
        None,
        description="lamp, global: final_sparsity over all pruned weights together, by their "
        "magnitude; erk: by the layers' shapes; sensitivity: more where the validation loss rises "
        "less; uniform: in every layer; null: lamp, but uniform where block_size, sparsity_m_by_n "
        "or a layer's own sparsity is given",
    )
    samples: Size | None = Field(
        None, description=f"validation samples for sensitivity; null: {DEFAULT_SAMPLES}"
    )
    block_size: tuple[Size, Size] | None = Field(
        None, description="[inputs, outputs] of the blocks that become zero as a whole"
    )
    block_pooling_type: Literal["AVG", "MAX"] = Field(
        "AVG", description="what of a block's magnitudes is compared"
    )
    sparsity_m_by_n: tuple[Size, Size] | None = Field(
        None, description="[m, n]: of n weights in a row along the inputs at least m are zero"
    )
    pruning_schedule: PolynomialPruning | ConstantPruning | PruningOnce = Field(
        default_factory=_default_schedule,
        discriminator="kind",
        description="how the sparsity rises",
    )
    layers: dict[str, LayerPruning] = Field(
        default_factory=dict,
        description="name pattern (fnmatch) → what differs; the first match wins",
    )

    @model_validator(mode="after")
    def _keys_are_used(self) -> PruneConfig:
        if self.samples is not None and self.distribution != "sensitivity":
            raise ValueError(
                f"samples: distribution {self.spread} looks at no samples; leave it out"
            )
        if self.block_size is None and self.block_pooling_type != "AVG":
            raise ValueError("block_pooling_type belongs to block_size; give one, e.g. [4, 1]")
        if self.block_size == (1, 1):
            raise ValueError("block_size [1, 1] is single weights; leave it out")
        if self.block_size is not None and self.distribution in SINGLE_WEIGHTS:
            raise ValueError(
                f"block_size: distribution {self.distribution} ranks single weights, no blocks; "
                "use uniform, erk or sensitivity"
            )
        return self

    @model_validator(mode="after")
    def _m_by_n_stands_alone(self) -> PruneConfig:
        once = self.pruning_schedule.kind == "once"
        if self.sparsity_m_by_n is None:
            if once:
                raise ValueError(
                    "pruning_schedule: kind once belongs to sparsity_m_by_n; use constant"
                )
            return self
        m, n = self.sparsity_m_by_n
        if m >= n:
            raise ValueError(f"sparsity_m_by_n: expected [m, n] with m < n, received [{m}, {n}]")
        if self.block_size is not None:
            raise ValueError("sparsity_m_by_n and block_size exclude each other")
        if self.distribution not in (None, "uniform"):
            raise ValueError(
                f"sparsity_m_by_n: {m} of {n} weights in every layer leave nothing to "
                f"distribution {self.distribution}; leave that out"
            )
        if not once:
            raise ValueError(
                f"sparsity_m_by_n: the sparsity is {m}/{n} at once; expected pruning_schedule "
                f"{{kind: once}}, without final_sparsity, received {self.pruning_schedule.kind}"
            )
        for pattern, layer in self.layers.items():
            if not layer.skip:
                raise ValueError(
                    f"layers.{pattern}: with sparsity_m_by_n every layer has {m}/{n}; only "
                    "skip: true can differ"
                )
        return self

    @property
    def spread(self) -> Distribution:
        """The distribution; where none is given LAMP, the best wherever it was measured.

        Something that says where zeros go leaves it nothing to choose (docs/prune.md).
        """
        if self.distribution is not None:
            return self.distribution
        says_where = self.has_pattern or any(not layer.skip for layer in self.layers.values())
        return "uniform" if says_where else "lamp"

    @property
    def sample_count(self) -> int:
        """Validation samples that sensitivity is measured on."""
        return DEFAULT_SAMPLES if self.samples is None else self.samples

    @property
    def has_pattern(self) -> bool:
        """True if zeros are asked for in blocks or m of n."""
        return self.block_size is not None or self.sparsity_m_by_n is not None
