"""`data.keras`: what only some of Keras's bundled sets have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.base import Section

# Height and width of the images of each set.
IMAGE_SIDES = {
    "keras:mnist": 28,
    "keras:fashion_mnist": 28,
    "keras:cifar10": 32,
    "keras:cifar100": 32,
}
Side = Annotated[int, Field(ge=28, le=1024)]


class KerasDataConfig(Section):
    """Options of the sets of images (size), of keras:cifar100 (labels), of texts (the others)."""

    size: tuple[Side, Side] | None = Field(
        None,
        description="of mnist, fashion_mnist, cifar10 and cifar100: [height, width] with zeros "
        "around the image, at least its own; default: its own",
    )

    labels: Literal["fine", "coarse"] = Field(
        "fine", description="of cifar100: 100 classes, or their 20 superclasses"
    )
    max_tokens: int = Field(
        10_000,
        ge=4,
        le=1_000_000,
        description="of imdb and reuters: token ids; 0 is padding, 1 the start, 2 any rarer word",
    )
    sequence_length: int = Field(
        200,
        ge=1,
        le=100_000,
        description="of imdb and reuters: tokens per sample; longer texts lose their end",
    )
    padding: Literal["before", "after"] = Field(
        "before",
        description="of imdb and reuters: where short texts are filled up; before, so that a "
        "recurrent layer ends on the last word",
    )
