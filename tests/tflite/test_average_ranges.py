"""What is averaged and then joined keeps its range."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.bridge.conversion import save_for_conversion
from pipeline.compression.statistics import compare
from pipeline.runtime import import_tensorflow
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.flatbuffer import ModelFile, decode_model, read_model
from pipeline.tflite.interpreter import load
from pipeline.tflite.worker import ConversionWorker


def build() -> tuple[Any, Any]:
    """A transition of a DenseNet and a block; and the model up to what is averaged."""
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(2)
    image = keras.Input((8, 8, 3), name="image")
    whole = layers.Conv2D(4, 3, padding="same", name="transition")(image)
    pooled = layers.AveragePooling2D(2, name="pool")(whole)
    grown = layers.Conv2D(4, 3, padding="same")(layers.ReLU()(pooled))
    joined = layers.Concatenate()([pooled, grown])
    outputs = layers.Dense(4)(layers.Flatten()(layers.Conv2D(4, 3)(joined)))
    return keras.Model(image, outputs), keras.Model(image, whole)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray, np.ndarray, float]:
    """(SavedModel, samples, outputs, from the least to the largest value before the pool)."""
    import_tensorflow()
    folder = tmp_path_factory.mktemp("averages") / "saved"
    model, before = build()
    x = np.random.default_rng(3).normal(size=(64, 8, 8, 3)).astype(np.float32)
    save_for_conversion(model, folder)
    return folder, x, model.predict(x, verbose=0), float(np.ptp(before.predict(x, verbose=0)))


def width(file: ModelFile) -> float:
    """Of the range that the first convolution has in the file."""
    first = next(operator for operator in file.main.operators if operator.name == "CONV_2D")
    return float(file.main.tensors[first.outputs[0]].scales[0]) * 255


@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
def test_what_is_averaged_is_not_clipped(
    scheme: str, saved: Any, worker: ConversionWorker, tmp_path: Path
) -> None:
    folder, x, expected, whole = saved
    path = convert(folder, [ConversionRequest(scheme, scheme)], x, tmp_path, worker)[scheme]  # type: ignore[arg-type]
    codes = 1 if scheme == "int8" else 257  # 65,535 of them instead of 255
    assert width(read_model(path)) * codes > 0.95 * whole
    assert compare(expected, load(path).predict(x)).mean_difference < 0.06


def test_the_converter_still_clips_it_by_itself(saved: Any) -> None:
    """The day this fails, pipeline/tflite/average_ranges.py may go."""
    import tensorflow as tf

    folder, x, _, whole = saved
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: ([sample[None]] for sample in x)
    assert width(decode_model(converter.convert())) < 0.6 * whole
