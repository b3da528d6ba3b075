"""`augmentation` of a training: random changes of each training sample, drawn from the seed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipeline.config.base import Section

Pixels = Annotated[int, Field(ge=0, le=4096)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


def _check_shift(value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 4096
    if whole or (isinstance(value, float) and 0 <= value < 1):
        return value
    raise ValueError(
        f"received {value!r}, expected whole pixels (2) or a fraction of the side below 1 (0.1)"
    )


# Checked before the union has its say: pydantic would list the faults of each of its members.
Shift = Annotated[Pixels | Fraction, BeforeValidator(_check_shift)]


class Augmentation(Section):
    """Each sample is drawn anew in every epoch; validation and test data are never changed.

    Flip, rotation, zoom, shift and crop are one mapping with one interpolation. Then come
    contrast and brightness, cut to the range of the training data, and noise, which is not cut.
    """

    horizontal_flip: bool = Field(False, description="mirror left and right, every other image")
    vertical_flip: bool = Field(False, description="mirror top and bottom, every other image")
    shift: Shift = Field(
        0, description="furthest shift along each side: whole pixels, or a fraction of the side"
    )
    crop: Pixels = Field(
        0, description="pixels of fill around the image before a random cut of its own size"
    )
    rotate: float = Field(0.0, ge=0, le=180, description="largest angle in degrees, both ways")
    zoom: Fraction = Field(0.0, description="the size is drawn from 1 - zoom to 1 + zoom")
    fill: Literal["constant", "nearest", "reflect", "wrap"] = Field(
        "constant", description="what comes in from outside of the image"
    )
    fill_value: float = Field(0.0, description="of fill constant, as the model takes values")
    interpolation: Literal["bilinear", "nearest"] = Field(
        "bilinear", description="of rotate and zoom; shifts and flips need none"
    )
    contrast: float = Field(
        0.0, ge=0, le=1, description="distance from the mean times 1 - contrast to 1 + contrast"
    )
    brightness: float = Field(
        0.0, ge=0, le=1, description="largest offset, as a fraction of the range of the data"
    )
    noise: float = Field(
        0.0, ge=0, description="standard deviation of Gaussian noise, as the model takes values"
    )

    @model_validator(mode="after")
    def _fill_is_used(self) -> Augmentation:
        if self.fill != "constant" and self.fill_value != 0:
            raise ValueError(f"fill_value belongs to fill constant, not to {self.fill}")
        return self

    @property
    def moves(self) -> bool:
        """Whether pixels change their place."""
        return bool(
            self.horizontal_flip
            or self.vertical_flip
            or self.shift
            or self.crop
            or self.rotate
            or self.zoom
        )

    @property
    def needs_images(self) -> bool:
        """Whether anything but noise is asked for."""
        return bool(self.moves or self.contrast or self.brightness)
