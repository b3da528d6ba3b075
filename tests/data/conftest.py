"""Small arrays and files that the data tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def small_arrays(n: int = 30, features: int = 4, classes: int = 3) -> dict[str, np.ndarray]:
    """Returns x (n, features) float32 without repeated rows, and y 0, 1, …, classes-1, 0, …"""
    x = np.arange(n * features, dtype=np.float32).reshape(n, features)
    return {"x": x, "y": np.arange(n) % classes}


@pytest.fixture
def write_npz(tmp_path: Path) -> Callable[..., Path]:
    """Returns a function that writes arrays to a .npz file and returns its path."""

    def write(name: str = "data.npz", **arrays: Any) -> Path:
        path = tmp_path / name
        np.savez(path, **arrays)
        return path

    return write
