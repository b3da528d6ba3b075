"""Layers with another scheme than their file, and the operators that this makes differ."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.tflite.flatbuffer import ModelFile
from pipeline.tflite.layer_of_operator import LayerNames, layers_of_operators


@dataclass(frozen=True)
class LayerSchemes:
    """Exceptions from a file's scheme.

    Attributes:
        patterns: (name pattern (fnmatch), scheme) in their order; the first match wins. An
            operator that computes several layers, as a convolution with its activation, is
            matched by any of their names.
        names: the layers of the Keras model.
    """

    patterns: tuple[tuple[str, str], ...]
    names: LayerNames

    @property
    def schemes(self) -> frozenset[str]:
        """Every scheme that a pattern gives."""
        return frozenset(scheme for _, scheme in self.patterns)

    def scheme_of(self, layers: Sequence[str]) -> str | None:
        """Returns what the first pattern says that matches one of the layers, or None."""
        for pattern, scheme in self.patterns:
            if fnmatch.filter(layers, pattern):
                return scheme
        return None

    def of_operators(self, model: ModelFile) -> list[str | None]:
        """Returns the scheme of each operator of the main subgraph; None: the file's."""
        return [self.scheme_of(layers) for layers in layers_of_operators(model, self.names)]

    def unused_patterns(self, model: ModelFile) -> list[str]:
        """Returns the patterns that match no operator of a file: layers that left none in it."""
        found = {name for layers in layers_of_operators(model, self.names) for name in layers}
        return [pattern for pattern, _ in self.patterns if not fnmatch.filter(found, pattern)]

    def to_json(self) -> dict[str, Any]:
        """Returns what `from_json` reads."""
        return {
            "patterns": [list(pair) for pair in self.patterns],
            "layers": list(self.names.layers),
            "lstm": list(self.names.lstm),
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> LayerSchemes:
        """Reads what `to_json` made."""
        patterns = tuple((pattern, scheme) for pattern, scheme in found["patterns"])
        return cls(patterns, LayerNames(tuple(found["layers"]), tuple(found["lstm"])))
