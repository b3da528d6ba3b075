"""Small image files that the tests of images share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def write_image(path: Path, pixels: Any, **options: Any) -> Path:
    """Writes pixels (height, width) or (height, width, 3), uint8; returns the path."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)
    return path


def random_images(root: Path, count: int = 4, size: tuple[int, int] = (8, 6)) -> Path:
    """Writes `count` different PNGs of each of the classes cat and dog."""
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        for index in range(count):
            write_image(root / name / f"{index:03}.png", rng.integers(0, 256, (*size, 3)))
    return root
