"""Encodings that are learned from the training split: of tables and of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pipeline.data.arrays import Kind

if TYPE_CHECKING:
    from pipeline.config.data import DataConfig


class Encoding(Protocol):
    """What TableEncoding and TextEncoding have in common."""

    def apply(self, x: Any, indices: np.ndarray | None = None) -> np.ndarray:
        """Encodes the samples of the given indices: float32 or int32 (m, *input_shape)."""

    def to_json(self) -> dict[str, Any]:
        """Returns the encoding as the sidecar carries it."""


def fit_encoding(
    kind: Kind, config: DataConfig, train: Any, indices: np.ndarray
) -> Encoding | None:
    """Learns the encoding of a kind of samples.

    Args:
        kind: what the samples are.
        config: the data section.
        train: the samples of which the training split is a part.
        indices: int64 (m,), the training split: no other sample is looked at.

    Returns:
        The encoding; None for samples that are numbers already.

    Raises:
        DataError: the samples cannot be encoded.
    """
    if kind == "table":
        from pipeline.data.table import TableEncoding

        return TableEncoding.fit(train, indices, config.csv)
    if kind == "text":
        from pipeline.data.text import TextEncoding

        return TextEncoding.fit(train, indices, config.text)
    return None


def load_encoding(value: dict[str, Any] | None) -> Encoding | None:
    """Returns the encoding that `to_json` described; None where none has to be applied."""
    kind = None if value is None else value["kind"]
    if value is not None and kind == "table":
        from pipeline.data.table import TableEncoding

        return TableEncoding.from_json(value)
    if value is not None and kind == "text":
        from pipeline.data.text import TextEncoding

        return TextEncoding.from_json(value)
    return None
