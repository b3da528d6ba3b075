"""Sentences as token ids: a vocabulary of the training split that ships in the sidecar.

Words are those of keras.layers.TextVectorization with its default standardization. The layer
itself cannot ship: it looks strings up in a hash table, and int8 TFLite has no strings.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.data.prepared import SPECIAL_TOKENS
from pipeline.data.raw_input import encode_texts, split_words
from pipeline.errors import DataError

if TYPE_CHECKING:
    from pipeline.config.text import TextConfig

COVERED = 0.95


@dataclass(frozen=True)
class TextEncoding:
    """How texts become token ids; see docs/sidecar.md for `content`."""

    content: dict[str, Any]

    @classmethod
    def fit(
        cls, texts: Sequence[str], train_indices: np.ndarray, config: TextConfig
    ) -> TextEncoding:
        """Learns vocabulary and length from the training texts.

        Args:
            texts: all texts; only those of `train_indices` are looked at.
            train_indices: int64 (m,), m ≥ 1.
            config: the section data.text.

        Returns:
            The encoding.

        Raises:
            DataError: no training text has a word.
        """
        words = [split_words(texts[index]) for index in train_indices]
        counts = Counter(word for text in words for word in text)
        if not counts:
            raise DataError(
                "data.text: no training text has a word; check data.text.text and the delimiter"
            )
        # Keras's order: by count, equal counts by their bytes, both downwards.
        ranked = sorted(counts, key=lambda word: (counts[word], word.encode()), reverse=True)
        length = config.sequence_length
        if length is None:
            length = covering_length([len(text) for text in words])
        return cls(
            {
                "kind": "text",
                "delimiter": None if config.delimiter == "auto" else config.delimiter,
                "quotes": config.quotes,
                "column": config.text,
                "file_columns": list(config.columns or (config.text, config.label)),
                "standardize": "lower_and_strip_punctuation",
                "split": "whitespace",
                "length": length,
                "padding": config.padding,
                "vocabulary": ranked[: config.max_tokens - SPECIAL_TOKENS],
            }
        )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one encoded sample: (length,)."""
        return (self.content["length"],)

    @property
    def input_dtype(self) -> str:
        """The model's input dtype."""
        return "int32"

    def apply(self, texts: Sequence[str], indices: np.ndarray | None = None) -> np.ndarray:
        """Encodes texts.

        Args:
            texts: n of them.
            indices: int64 (m,); None for all.

        Returns:
            int32 (m, length).
        """
        chosen = texts if indices is None else [texts[index] for index in indices]
        return encode_texts(chosen, self.content)

    def to_json(self) -> dict[str, Any]:
        """Returns the encoding as the sidecar carries it."""
        return self.content

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> TextEncoding:
        """Returns the encoding that `to_json` described."""
        return cls(value)


def covering_length(lengths: Sequence[int]) -> int:
    """Returns the least number of words that COVERED of the texts do not exceed, ≥ 1."""
    ordered = sorted(lengths)
    return max(1, ordered[math.ceil(COVERED * len(ordered)) - 1])
