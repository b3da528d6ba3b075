"""Running files: numbers in and out, state, silence, errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ArtifactError, DataError
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.interpreter import TensorDescription, dequantize, load, quantize
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.worker import ConversionWorker
from tests.tflite.conftest import Converted

INT8 = TensorDescription("x", (1, 4), "int8", 0.5, -3)


def test_quantize_rounds_half_to_even_and_saturates() -> None:
    # 0.25/0.5 = 0.5 → 0; 0.75/0.5 = 1.5 → 2; both − 3; then both ends.
    values = np.array([0.25, 0.75, -1e9, 1e9, 1.0], np.float32)
    stored = quantize(values, INT8)
    assert stored.dtype == np.int8
    assert stored.tolist() == [-3, -1, -128, 127, -1]


def test_dequantize_is_the_inverse_on_the_grid() -> None:
    stored = np.arange(-128, 128).astype(np.int8)
    real = dequantize(stored, INT8)
    assert real.dtype == np.float32
    assert (real[0], real[128]) == (-62.5, 1.5)
    np.testing.assert_array_equal(quantize(real, INT8), stored)


def test_without_a_scale_values_pass() -> None:
    plain = TensorDescription("x", (1, 2), "float32", None, None)
    assert quantize(np.array([1.5]), plain).tolist() == [1.5]
    assert dequantize(np.array([1.5], np.float32), plain).tolist() == [1.5]


# Mean difference relative to the spread over samples, about three times what was measured.
@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("float32", 1e-5),
        ("float16", 5e-3),
        ("dynamic_range", 5e-2),
        ("int8", 5e-2),
        ("int8_uint8", 5e-2),
        ("int8_float32", 5e-2),
        ("int16x8", 3e-2),
        ("int16x8_float32", 3e-2),
    ],
)
def test_every_scheme_answers_as_the_model(
    converted: Converted, name: str, tolerance: float
) -> None:
    outputs = load(converted.paths[name]).predict(converted.x)
    assert outputs.dtype == np.float32
    difference = np.abs(outputs - converted.logits).mean() / converted.logits.std(axis=0).mean()
    assert difference < tolerance


def test_descriptions(converted: Converted) -> None:
    interpreter = load(converted.paths["int8_uint8"])
    image, logits = interpreter.inputs[0], interpreter.outputs[0]
    assert (image.name, image.shape, image.dtype) == ("image", (1, 8, 8, 2), "uint8")
    # Inputs in [0, 1): a scale of 1/255 and the zero point at the lowest value.
    assert image.scale == pytest.approx(1 / 255, rel=0.01)
    assert image.zero_point == 0
    assert (logits.name, logits.shape, logits.dtype) == ("logits", (1, 4), "uint8")
    assert load(converted.paths["float32"]).inputs[0].scale is None


def test_calls_do_not_leak_into_each_other(converted: Converted) -> None:
    interpreter = load(converted.paths["int8"])
    first = interpreter.predict(converted.x[:3])
    interpreter.predict(converted.x[3:9])
    np.testing.assert_array_equal(interpreter.predict(converted.x[:3]), first)


def test_recurrent_state_is_reset_before_each_sample(
    worker: ConversionWorker, tmp_path: Path
) -> None:
    import tf_keras

    sequence = tf_keras.Input((6, 3), name="sequence")
    outputs = tf_keras.layers.Dense(4, name="logits")(tf_keras.layers.LSTM(5)(sequence))
    model = tf_keras.Model(sequence, outputs)
    save_keras_model(model, tmp_path / "lstm")
    x = np.random.default_rng(0).normal(size=(10, 6, 3)).astype(np.float32)
    request = ConversionRequest("lstm", "float32")
    path = convert(tmp_path / "lstm", [request], None, tmp_path, worker)["lstm"]
    interpreter = load(path)
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(interpreter.predict(x), expected, atol=1e-5)
    # The control: without the reset the state of one sample does reach the next.
    interpreter._stateful = False
    assert np.abs(interpreter.predict(x) - expected).max() > 1e-3


def test_wrong_shapes_and_names_are_refused(converted: Converted) -> None:
    interpreter = load(converted.paths["float32"])
    with pytest.raises(DataError, match=r"input 'image' of shape \(3, 4\): expected \(n, 8, 8, 2"):
        interpreter.predict(np.zeros((3, 4), np.float32))
    with pytest.raises(DataError, match="inputs picture: expected image"):
        interpreter.predict({"picture": converted.x})


def test_a_torn_file_is_an_artifact_error(converted: Converted, tmp_path: Path) -> None:
    path = tmp_path / "torn.tflite"
    path.write_bytes(converted.paths["int8"].read_bytes()[:3000])
    with pytest.raises(ArtifactError, match=r"torn\.tflite"):
        load(path)


_LOAD = "from pipeline.tflite.interpreter import load; from pathlib import Path; load(Path({!r}))"
_LOAD_BARE = "from ai_edge_litert.interpreter import Interpreter as I; I({!r}).allocate_tensors()"


def _stderr_of(program: str) -> str:
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root
    ).stderr


def test_loading_is_silent(converted: Converted) -> None:
    path = str(converted.paths["float32"])
    assert _stderr_of(_LOAD.format(path)) == ""
    # Fails the day LiteRT (2.3.0) no longer chatters: then `captured_stderr` can go.
    assert "Created TensorFlow Lite XNNPACK delegate" in _stderr_of(_LOAD_BARE.format(path))
