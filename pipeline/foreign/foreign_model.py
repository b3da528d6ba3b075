"""What reading a model from outside gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.foreign.compile_facts import CompileFacts

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class ForeignModel:
    """A model from outside.

    Attributes:
        model: Keras 3, built, with its weights, not compiled; layers named as in the file.
        origin: where it is from, for people: "tf_keras 2.21.0 .keras".
        compiled: what its compile config tells; None where it was not compiled.
        notes: what the user should know of how it was read, one line each.
    """

    model: keras.Model
    origin: str
    compiled: CompileFacts | None
    notes: tuple[str, ...]
