"""Texts of Keras's bundled sets: lists of word ranks, made token ids of one length."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.errors import DataError

# As keras.datasets.imdb.load_data has them by default: rank r of a word becomes r + 3.
PADDING, START, RARE, FIRST_WORD = 0, 1, 2, 3


def encode_sequences(
    sequences: Any, max_tokens: int, length: int, padding: str, origin: str
) -> np.ndarray:
    """Encodes lists of word ranks as keras.datasets.imdb does, cut and padded to one length.

    Args:
        sequences: object (n,), lists of ranks from 1, the most frequent word.
        max_tokens: number of token ids; words beyond become RARE.
        length: of a sample; START and the first words of a longer text are kept.
        padding: "before" or "after" the words of a shorter text.
        origin: for messages.

    Returns:
        int32 (n, length).

    Raises:
        DataError: a sequence is no list of whole numbers.
    """
    encoded = np.full((len(sequences), length), PADDING, np.int32)
    for row, sequence in enumerate(sequences):
        ranks = np.asarray(sequence)
        if ranks.ndim != 1 or (ranks.size and ranks.dtype.kind not in "iu"):
            raise DataError(
                f"{origin}: x[{row}] is no list of word ranks; expected lists of whole numbers"
            )
        tokens = ranks[: length - 1].astype(np.int64) + FIRST_WORD
        tokens[(tokens >= max_tokens) | (tokens < FIRST_WORD)] = RARE
        start = length - 1 - len(tokens) if padding == "before" else 0
        encoded[row, start] = START
        encoded[row, start + 1 : start + 1 + len(tokens)] = tokens
    return encoded
