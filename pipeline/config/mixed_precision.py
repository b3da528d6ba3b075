"""`quantize.mixed_precision`: bits of each layer under a budget of bytes or of accuracy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.config.base import Section
from pipeline.config.narrow import DEFAULT_SAMPLES

Choice = Literal["float32", "int8", "int4", "int2"]
# By the type of the activations, the widest first.
CHOICES: dict[str, tuple[Choice, ...]] = {
    "float32": ("float32", "int8", "int4", "int2"),
    "int8": ("float32", "int8", "int4"),
}
BUDGETS = ("max_gzip_bytes", "max_accuracy_drop", "max_error_increase")


class MixedPrecision(Section):
    """The file `mixed` of `quantize.schemes`."""

    choices: Annotated[tuple[Choice, ...], Field(min_length=2)] = Field(
        ("int8", "int4", "int2"), description="schemes that a layer may get"
    )
    activations: Literal["float32", "int8"] = Field(
        "float32",
        description="float32: weights of the choices as in int4 and int2 files; int8: integers "
        "throughout, with weights in int8 or int4, or single layers in float32",
    )
    max_gzip_bytes: int | None = Field(
        None, ge=1, description="of the file: the least harm to the loss that fits"
    )
    max_accuracy_drop: float | None = Field(
        None,
        ge=0,
        le=1,
        description="on validation data, against the float model: as few bytes as keep it",
    )
    max_error_increase: float | None = Field(
        None, ge=0, description="the same for tasks judged by an error, relative"
    )
    samples: int | None = Field(
        None,
        ge=1,
        description=f"validation samples for the sensitivity; null: {DEFAULT_SAMPLES}",
    )

    @model_validator(mode="after")
    def _fits(self) -> MixedPrecision:
        given = [name for name in BUDGETS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"expected one budget of {', '.join(BUDGETS)}; received "
                f"{' and '.join(given) or 'none'}"
            )
        if len(set(self.choices)) != len(self.choices):
            raise ValueError("choices: each one at most once")
        possible = CHOICES[self.activations]
        for choice in self.choices:
            if choice not in possible:
                raise ValueError(
                    f"choices: {choice} with activations in {self.activations}; expected of "
                    f"{', '.join(possible)}"
                )
        if not set(self.choices) & {"int4", "int2"}:
            raise ValueError("choices: expected int4 or int2 among them; else use int8")
        return self

    @property
    def budget(self) -> tuple[str, float]:
        """Name and value of the budget."""
        name = next(name for name in BUDGETS if getattr(self, name) is not None)
        return name, getattr(self, name)

    @property
    def ordered_choices(self) -> tuple[Choice, ...]:
        """The choices, the widest first."""
        return tuple(choice for choice in CHOICES[self.activations] if choice in self.choices)

    @property
    def scheme(self) -> Literal["int8x4", "int4", "int2"]:
        """The scheme of the file from which single layers differ."""
        if self.activations == "int8":
            return "int8x4"
        return "int2" if "int2" in self.choices else "int4"

    @property
    def sample_count(self) -> int:
        """Validation samples that the sensitivity is measured on."""
        return DEFAULT_SAMPLES if self.samples is None else self.samples
