"""A tiny network and its data, ready to be quantized."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.quantize import QuantizeConfig
from pipeline.data.prepared import PreparedData, Split
from pipeline.progress import SilentProgress
from pipeline.quantization.material import Material
from pipeline.runtime import import_tensorflow
from pipeline.tasks.task import classification
from pipeline.tflite.worker import ConversionWorker


class Notes(SilentProgress):
    """Keeps what the user is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture(scope="session")
def converter() -> Iterator[ConversionWorker]:
    """One converter for all tests that need one: each takes seconds to start."""
    with ConversionWorker() as started:
        yield started


@pytest.fixture(scope="session")
def network() -> Any:
    import_tensorflow()
    import keras

    keras.utils.set_random_seed(5)
    return keras.Sequential(
        [
            keras.Input((6,), name="x"),
            keras.layers.Dense(8, "relu", name="hidden"),
            keras.layers.Dense(6, "relu", name="hidden_2"),
            keras.layers.Dense(3, name="logits"),
        ]
    )


@pytest.fixture
def gather(network: Any, converter: ConversionWorker, tmp_path: Path) -> Callable[..., Material]:
    """Gathers a material with some settings; the float network is right on every sample."""
    x = np.random.default_rng(6).normal(size=(120, 6)).astype(np.float32)
    y = np.argmax(network.predict(x, verbose=0), axis=1)
    splits = {"train": Split(x[:60], y[:60]), "validation": Split(x[60:], y[60:])}
    data = PreparedData(splits, classification(("a", "b", "c")), (6,), None, "sidecar")

    def build(**settings: Any) -> Material:
        return Material(
            model=network, data=data, settings=QuantizeConfig(**settings),
            representative=np.arange(40), batch_size=1, reference=1.0, clustered=(), patterned=(),
            teacher=None, seed=0, work=tmp_path / "work", output=tmp_path / "output",
            failed=tmp_path / "failed", progress=Notes(), converter=lambda: converter,
        )  # fmt: skip

    return build
