"""`data.keras`: what only some of Keras's bundled sets have."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config.base import Section


class KerasDataConfig(Section):
    """Options of keras:cifar100 (labels) and of keras:imdb and keras:reuters (the others)."""

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
