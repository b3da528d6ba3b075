"""What the converter makes of an int8 LSTM, before and after it is mended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.bridge.start import import_tf_keras
from pipeline.compression.statistics import compare
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.flatbuffer import read_model
from pipeline.tflite.interpreter import load
from pipeline.tflite.lstm_scales import LSTM, keeps_state, mend_lstm_scales
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.worker import ConversionWorker
from tests.tflite.conftest import Converted

X = np.random.default_rng(0).normal(size=(40, 6, 4)).astype(np.float32)
INT8 = ConversionRequest("int8", "int8")


def quiet(layers: Any, sequence: Any) -> Any:
    """Cells that stay within ±0.5."""
    x = layers.LSTM(5, return_sequences=True)(sequence)
    return layers.LSTM(5, kernel_initializer=layers_scale(0.3))(x)


def both_ways(layers: Any, sequence: Any) -> Any:
    """Two layers before a CONCATENATION, a REVERSE_V2 behind one of them."""
    inner = layers.LSTM(5, return_sequences=True, kernel_initializer=layers_scale(1.0))
    return layers.Flatten()(layers.Bidirectional(inner)(sequence))


def layers_scale(scale: float) -> Any:
    import tf_keras

    return tf_keras.initializers.RandomNormal(stddev=scale)


def make(
    build: Callable[[Any, Any], Any], worker: ConversionWorker, folder: Path
) -> tuple[bytes, Path, np.ndarray]:
    """Returns the file as the converter made it, the mended one, and what Keras answers."""
    tf_keras = import_tf_keras()
    tf_keras.utils.set_random_seed(2)
    sequence = tf_keras.Input((6, 4), name="sequence")
    outputs = tf_keras.layers.Dense(4, name="logits")(build(tf_keras.layers, sequence))
    model = tf_keras.Model(sequence, outputs)
    for layer in model._flatten_layers():
        if type(layer).__name__ == "LSTM":
            layer._could_use_gpu_kernel = True
    save_keras_model(model, folder / "saved")
    raw: list[bytes] = []

    def keep(content: bytes) -> bytes:
        raw.append(content)
        return mend_lstm_scales(content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.tflite.convert.mend_lstm_scales", keep)
        path = convert(folder / "saved", [INT8], X, folder, worker)["int8"]
    return raw[0], path, model.predict(X, verbose=0)


@pytest.mark.parametrize("build", [quiet, both_ways])
def test_a_mended_file_agrees_and_the_converters_own_does_not(
    build: Callable[[Any, Any], Any], worker: ConversionWorker, tmp_path: Path
) -> None:
    """Fails the day tensorflow (2.21.0) needs no mending."""
    content, path, reference = make(build, worker, tmp_path)
    raw = tmp_path / "raw.tflite"
    raw.write_bytes(content)
    assert compare(reference, load(path).predict(X)).mean_difference < 0.05
    assert compare(reference, load(raw).predict(X)).mean_difference > 0.1
    assert len(content) == path.stat().st_size
    assert mend_lstm_scales(path.read_bytes()) == path.read_bytes()
    if build is quiet:
        assert (smallest_cell_scale(raw), smallest_cell_scale(path)) == (2.0**-16, 2.0**-15)


def smallest_cell_scale(path: Path) -> float:
    main = read_model(path).main
    operators = [operator for operator in main.operators if operator.name == LSTM]
    return min(float(main.tensors[operator.inputs[19]].scales[0]) for operator in operators)


def test_files_without_an_lstm_pass(converted: Converted) -> None:
    content = converted.paths["int8"].read_bytes()
    assert not keeps_state(content)
    assert mend_lstm_scales(content) == content
