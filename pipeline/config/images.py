"""`data.images`: how image files become samples."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.base import Section

Pixels = Annotated[int, Field(ge=1, le=8192)]


class ImagesConfig(Section):
    """Size and colours of the samples, and what of them is kept in memory."""

    size: tuple[Pixels, Pixels] | None = Field(
        None, description="[height, width]; default: the images' own, if it is the same for all"
    )
    color: Literal["rgb", "grayscale"] = Field("rgb", description="3 channels or 1")
    resize: Literal["stretch", "crop", "pad"] = Field(
        "stretch",
        description="to size: stretch each axis; crop the middle of what is too long; pad with "
        "black. crop and pad keep the aspect ratio",
    )
    cache_mb: int = Field(
        512,
        ge=0,
        description="memory for decoded images, in 10^6 bytes; where those that a stage uses do "
        "not all fit, none is kept and each is decoded anew in each epoch",
    )
