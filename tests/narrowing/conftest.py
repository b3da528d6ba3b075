"""TensorFlow as Slimline starts it, and tiny data that a toy can learn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from pipeline.data.prepared import PreparedData, Split
from pipeline.tasks.task import classification


@pytest.fixture(scope="session", autouse=True)
def tensorflow() -> Iterator[None]:
    """Starts TensorFlow once, deterministic."""
    from pipeline.runtime import start_tensorflow

    start_tensorflow(0)
    yield


@pytest.fixture(scope="session")
def tiny_data() -> PreparedData:
    """Three classes of 8×8 images: a bright band whose place is the class."""
    rng = np.random.default_rng(11)

    def draw(count: int) -> Split:
        y = np.arange(count, dtype=np.int64) % 3
        x = rng.normal(scale=0.4, size=(count, 8, 8, 1)).astype(np.float32)
        for index, label in enumerate(y):
            x[index, 2 * label : 2 * label + 3] += 1.0
        return Split(x, y)

    splits = {"train": draw(100), "validation": draw(30)}
    return PreparedData(splits, classification(("a", "b", "c")), (8, 8, 1), None, "sidecar")
