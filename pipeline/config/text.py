"""`data.text`: how sentences become token ids."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config.csv import CsvFormat, Name


class TextConfig(CsvFormat):
    """Where text and answer stand in a file, and the vocabulary."""

    text: Name = Field("text", description="column of the text, in CSV files")
    label: Name = Field("label", description="column of the answer, in CSV files")
    max_tokens: int = Field(
        10_000,
        ge=3,
        le=1_000_000,
        description="size of the vocabulary, the most frequent words of the training split; "
        "padding (0) and unknown (1) count",
    )
    sequence_length: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="tokens per sample, longer texts are cut; default: what 95 % of the training "
        "texts fit into",
    )
    padding: Literal["before", "after"] = Field(
        "before",
        description="where short texts are filled up: before, so that a recurrent layer ends on "
        "the last word; after, as Keras's TextVectorization",
    )
