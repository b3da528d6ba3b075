"""Fixtures of the training tests: TensorFlow as Slimline starts it, tiny data, a tiny model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

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
def data() -> PreparedData:
    """100 training and 30 validation samples of 3 classes in 6 dimensions, learnable."""
    rng = np.random.default_rng(5)
    y = rng.integers(0, 3, 130)
    x = rng.normal(size=(130, 6)) + np.eye(3, 6)[y] * 2.0
    x, y = x.astype(np.float32), y.astype(np.int64)
    splits = {"train": Split(x[:100], y[:100]), "validation": Split(x[100:], y[100:])}
    return PreparedData(splits, classification(("a", "b", "c")), (6,), None, "sidecar")


@pytest.fixture
def build() -> Callable[..., object]:
    """Builds the same small model each time: Dense, BatchNormalization, Dropout, logits."""

    def build_small(dropout: float = 0.3, penalty: float = 0.0) -> object:
        import keras

        keras.utils.set_random_seed(7)
        regularizer = keras.regularizers.L2(penalty) if penalty else None
        inputs = keras.Input((6,), name="input")
        x = keras.layers.Dense(8, kernel_regularizer=regularizer, name="hidden")(inputs)
        x = keras.layers.BatchNormalization(name="normalization")(x)
        x = keras.layers.Activation("relu", name="activation")(x)
        if dropout > 0:
            x = keras.layers.Dropout(dropout, name="dropout")(x)
        return keras.Model(inputs, keras.layers.Dense(3, name="logits")(x), name="small")

    return build_small


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A work and an output folder that do not exist yet."""
    return tmp_path / "work", tmp_path / "output"
