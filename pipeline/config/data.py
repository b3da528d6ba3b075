"""`data`: where samples come from, how they are split and scaled."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from pipeline.config.base import Section

Source = Literal["digits", "npz", "keras:mnist", "keras:fashion_mnist"]


class Preprocessing(Section):
    """An affine map x·scale + offset, kept as part of what ships."""

    kind: Literal["none", "rescale", "standardize"] = Field(
        "rescale",
        description="rescale: x·scale + offset; standardize: zero mean and unit variance of the "
        "training split, per last axis",
    )
    scale: float | None = Field(
        None, gt=0, description="of rescale; default 1 / max|x| of the training split"
    )
    offset: float = Field(0.0, description="of rescale")
    placement: Literal["sidecar", "model"] = Field(
        "sidecar",
        description="sidecar: the caller applies it, as the sidecar says; model: a first layer",
    )

    @model_validator(mode="after")
    def _own_keys_only(self) -> Preprocessing:
        if self.kind != "rescale" and (self.scale is not None or self.offset != 0):
            raise ValueError(f"scale and offset belong to kind rescale, not to {self.kind}")
        return self


class DataConfig(Section):
    """Samples, splits and preprocessing."""

    source: Source = Field("digits", description="digits needs no file")
    path: Path | None = Field(
        None, description="file of npz (required) or of keras:* (then no network is needed)"
    )
    validation_fraction: float = Field(
        0.15, gt=0, lt=1, description="cut from the training arrays where no split is given"
    )
    test_fraction: float = Field(
        0.2, gt=0, lt=1, description="cut from the training arrays where no split is given"
    )
    max_train_samples: int | None = Field(
        None, ge=1, description="a stratified part of the training split, for quick tries"
    )
    preprocessing: Preprocessing = Preprocessing()

    @model_validator(mode="after")
    def _paths_fit(self) -> DataConfig:
        if self.source == "npz" and self.path is None:
            raise ValueError("source npz needs a path: data.path=my_data.npz")
        if self.source == "digits" and self.path is not None:
            raise ValueError("source digits takes no path; did you mean source: npz?")
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation_fraction + test_fraction must be below 1")
        return self
