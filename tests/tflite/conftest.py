"""One small model with known zeros, converted once by every scheme; many tests look at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.runtime import import_tensorflow
from pipeline.tflite.conversion_request import SCHEMES, ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.worker import ConversionWorker

CLASS_NAMES = ("ant", "bee", "cat", "dog")


@dataclass(frozen=True)
class Converted:
    """The model, its samples and logits, and its files by request name."""

    model: Any
    x: np.ndarray
    logits: np.ndarray
    saved_model: Path
    requests: dict[str, ConversionRequest]
    paths: dict[str, Path]


@pytest.fixture(scope="session")
def worker() -> Iterator[ConversionWorker]:
    """A converter that starts while the tests' own TensorFlow is imported."""
    with ConversionWorker() as started:
        yield started


@pytest.fixture(scope="session")
def other_worker() -> Iterator[ConversionWorker]:
    """A second fresh process: for equal bytes first, then for the crash that ends it."""
    with ConversionWorker() as started:
        yield started


def build_model() -> Any:
    """A conv, a depthwise conv and a dense layer; 3/4 of the dense kernel's rows are zero."""
    import_tensorflow()
    import keras

    generator = np.random.default_rng(3)
    image = keras.Input((8, 8, 2), name="image")
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="conv")(image)
    x = keras.layers.DepthwiseConv2D(3, name="depthwise")(x)
    x = keras.layers.Flatten(name="flat")(x)
    model = keras.Model(image, keras.layers.Dense(4, name="logits")(x))
    for variable in model.weights:
        shape = tuple(variable.shape)
        # Biases stay small, so that the outputs depend on the inputs.
        fan_in = 100 if len(shape) == 1 else np.prod(shape[:2])
        variable.assign((generator.normal(size=shape) / np.sqrt(fan_in)).astype(np.float32))
    dense = model.get_layer("logits")
    kernel = np.array(dense.kernel)
    kernel[np.arange(len(kernel)) % 4 != 0] = 0.0
    dense.kernel.assign(kernel)
    return model


@pytest.fixture(scope="session")
def converted(worker: ConversionWorker, tmp_path_factory: pytest.TempPathFactory) -> Converted:
    """The model converted by every scheme, and int8 with the other two kinds of inputs."""
    folder = tmp_path_factory.mktemp("converted")
    model = build_model()
    x = np.random.default_rng(4).random((64, 8, 8, 2), dtype=np.float32)
    save_keras_model(model, folder / "saved_model")
    requests = [ConversionRequest(scheme, scheme) for scheme in SCHEMES]
    requests += [
        ConversionRequest("int8_uint8", "int8", "uint8"),
        ConversionRequest("int8_per_tensor", "int8", dense_scales="per_tensor"),
        ConversionRequest("int8_float32", "int8", "float32"),
        ConversionRequest("int16x8_float32", "int16x8", "float32"),
        ConversionRequest("int4_blocks", "int4", block_size=32),
        ConversionRequest("int4_gptq", "int4", weight_algorithm="gptq"),
    ]
    paths = convert(folder / "saved_model", requests, x, folder, worker)
    return Converted(
        model,
        x,
        model.predict(x, verbose=0),
        folder / "saved_model",
        {request.name: request for request in requests},
        paths,
    )
