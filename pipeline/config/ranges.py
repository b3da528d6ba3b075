"""How the ranges of activations are found, and for which files."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pipeline.config.base import Section

# Files that compute in integers: ranges of their activations come from representative samples.
CALIBRATED_SCHEMES = ("int8", "int16x8", "int8x4")
DEFAULT_PERCENTILE = 99.99
RangeKind = Literal["min_max", "percentile", "mse"]


class RangesConfig(Section):
    """How the ranges of activations are found on representative samples (docs/calibration.md)."""

    kind: RangeKind = Field(
        "min_max",
        description="the smallest and largest value; all but a few of them; or the least squared "
        "error of an int8 quantizer",
    )
    percentile: float | None = Field(
        None,
        gt=50,
        le=100,
        description="of kind percentile: the range ends at this percentile of the values that "
        "are not 0, and at 100 minus it on the other side; "
        f"default {DEFAULT_PERCENTILE}",
    )

    @model_validator(mode="after")
    def _fits(self) -> RangesConfig:
        if self.percentile is not None and self.kind != "percentile":
            raise ValueError("percentile belongs to kind: percentile")
        return self

    @property
    def at_percentile(self) -> float:
        """The percentile, its default where none is given."""
        return DEFAULT_PERCENTILE if self.percentile is None else self.percentile
