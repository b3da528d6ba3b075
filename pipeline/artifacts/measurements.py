"""Figures of a long measurement, kept in a stage's working folder: a killed one goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.artifacts.files import sha256_json, write_bytes_atomic


class Measurements:
    """Remembers each figure as soon as it is known, by what it depends on."""

    def __init__(self, path: Path) -> None:
        """Reads what an earlier process left.

        Args:
            path: JSON file in the stage's working folder, whose name covers the stage's settings,
                data and libraries. It may be absent; one that cannot be read counts as absent.
        """
        self._path = path
        self._known = _read(path)

    def recall(self, basis: Any, measure: Callable[[], list[float]]) -> list[float]:
        """Returns the figures of `basis`, measured at most once.

        Args:
            basis: what they depend on beside the stage's key; what JSON can hold.
            measure: returns the figures, NaN and infinities included.

        Raises:
            StorageError: the disk is full or the path may not be written.
        """
        key = sha256_json(basis)
        if key not in self._known:
            figures = measure()
            self._known[key] = figures
            # Python's JSON reads NaN and infinities back: a loss may be either.
            write_bytes_atomic(self._path, json.dumps(self._known).encode())
        return self._known[key]


def _read(path: Path) -> dict[str, list[float]]:
    try:
        known = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
