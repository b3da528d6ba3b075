"""Real conversions: every scheme, equal bytes, refusals."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ArtifactError, ConfigError, PromiseError
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.inspect import inspect
from pipeline.tflite.interpreter import load
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.worker import ConversionWorker
from tests.tflite.conftest import Converted


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("float32", "float32"),
        ("float16", "float32"),
        ("dynamic_range", "float32"),
        ("int8", "int8"),
        ("int8_uint8", "uint8"),
        ("int8_float32", "float32"),
        ("int16x8", "int16"),
        ("int16x8_float32", "float32"),
        ("int4", "float32"),
        ("int2", "float32"),
    ],
)
def test_inputs_and_outputs_have_the_asked_type(
    converted: Converted, name: str, dtype: str
) -> None:
    found = inspect(converted.paths[name])
    assert found.inputs == {"image": dtype}
    assert found.outputs == {"logits": dtype}
    assert converted.requests[name].io_dtype == dtype


def test_equal_bytes_from_a_fresh_process_and_a_model_saved_again(
    converted: Converted, other_worker: ConversionWorker, tmp_path: Path
) -> None:
    import tensorflow as tf

    # Other functions traced in between: their running numbers must not reach the file.
    for _ in range(3):
        tf.function(lambda x: x + 1)(tf.ones(2))
    save_keras_model(converted.model, tmp_path / "saved_model")
    requests = [converted.requests[name] for name in ("float32", "int8", "int4_gptq")]
    again = convert(tmp_path / "saved_model", requests, converted.x, tmp_path, other_worker)
    for name, path in again.items():
        assert path.read_bytes() == converted.paths[name].read_bytes()


def test_a_crash_of_the_converter_is_a_refusal(
    other_worker: ConversionWorker, tmp_path: Path
) -> None:
    """Fails the day int8 on a recurrent WHILE loop no longer kills TensorFlow (2.21.0)."""
    import keras

    sequence = keras.Input((6, 3), name="sequence")
    outputs = keras.layers.Dense(4, name="logits")(keras.layers.LSTM(5, name="lstm")(sequence))
    save_keras_model(keras.Model(sequence, outputs), tmp_path / "lstm")
    x = np.random.default_rng(0).normal(size=(8, 6, 3)).astype(np.float32)
    with pytest.raises(PromiseError, match=r"model 'rnn' \(scheme int8\).*killed by SIGSEGV"):
        convert(tmp_path / "lstm", [ConversionRequest("rnn", "int8")], x, tmp_path, other_worker)


def test_an_operator_without_a_kernel_is_named(worker: ConversionWorker, tmp_path: Path) -> None:
    import keras

    odd = keras.layers.Dense(2, activation=keras.ops.erf, name="odd")
    save_keras_model(keras.Sequential([keras.Input((2,)), odd], name="net"), tmp_path / "erf")
    with pytest.raises(PromiseError, match=r"refuses it: no TFLite kernel for Erf \(in scope odd"):
        convert(tmp_path / "erf", [ConversionRequest("erf", "float32")], None, tmp_path, worker)


def test_several_inputs_are_calibrated_by_name(worker: ConversionWorker, tmp_path: Path) -> None:
    import keras

    left, right = keras.Input((4,), name="zeta"), keras.Input((2,), name="alpha")
    joined = keras.layers.Concatenate(name="join")([left, right])
    model = keras.Model([left, right], keras.layers.Dense(3, name="logits")(joined))
    save_keras_model(model, tmp_path / "two")
    generator = np.random.default_rng(1)
    samples = {
        "zeta": generator.uniform(-1, 1, (40, 4)).astype(np.float32),
        "alpha": generator.uniform(-8, 8, (40, 2)).astype(np.float32),
    }
    request = ConversionRequest("two", "int8", "float32")
    paths = convert(tmp_path / "two", [request], samples, tmp_path, worker)
    outputs = load(paths["two"]).predict(samples)
    expected = model.predict([samples["zeta"], samples["alpha"]], verbose=0)
    assert np.abs(outputs - expected).mean() < 0.02 * expected.std()
    with pytest.raises(PromiseError, match=r"representative data for inputs \['alpha'\]"):
        convert(tmp_path / "two", [request], {"alpha": samples["alpha"]}, tmp_path, worker)


def test_dictionaries_in_and_out(worker: ConversionWorker, tmp_path: Path) -> None:
    """Outputs keep the names of their layers and the order of the Keras model."""
    import keras

    layers = keras.layers
    inputs = {"zeta": keras.Input((4,), name="zeta"), "alpha": keras.Input((2,), name="alpha")}
    x = layers.Dense(6, "relu")(layers.Concatenate()(list(inputs.values())))
    outputs = [layers.Dense(size, name=name)(x) for name, size in (("z", 3), ("a", 1), ("m", 2))]
    generator = np.random.default_rng(1)
    samples = {
        name: generator.uniform(-1, 1, (40, *tensor.shape[1:])).astype(np.float32)
        for name, tensor in inputs.items()
    }
    model = keras.Model(inputs, outputs)
    save_keras_model(model, tmp_path / "three")
    request = ConversionRequest("three", "int8")
    path = convert(tmp_path / "three", [request], samples, tmp_path, worker)["three"]
    interpreter = load(path)
    received = interpreter.predict_all(samples)
    assert list(received) == ["z", "a", "m"]
    # The control: without the note the order is the converter's.
    (tmp_path / "three" / "output_order.json").unlink()
    path = convert(tmp_path / "three", [request], samples, tmp_path, worker)["three"]
    assert list(load(path).predict_all(samples)) == ["a", "m", "z"]
    for values, expected in zip(received.values(), model.predict(samples, verbose=0), strict=True):
        assert np.abs(values - expected).mean() < 0.05 * expected.std()
    np.testing.assert_array_equal(interpreter.predict(samples), received["z"])


def test_an_input_without_a_size_is_refused(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((None, 4), name="words"), keras.layers.LSTM(3)])
    with pytest.raises(ConfigError, match=r"input 'words' of shape \(None, 4\): a .tflite file"):
        save_keras_model(model, tmp_path / "open")


def test_fake_quantization_keeps_its_ranges(worker: ConversionWorker, tmp_path: Path) -> None:
    """What quantization-aware training learned must win over the calibration."""
    import tensorflow as tf

    fake = tf.quantization.fake_quant_with_min_max_args
    module = tf.Module()
    module.kernel = tf.Variable(np.random.default_rng(1).uniform(-1, 1, (4, 3)).astype("f4"))

    def serve(x: tf.Tensor) -> dict[str, tf.Tensor]:
        kernel = fake(module.kernel, -2, 2, narrow_range=True)
        product = tf.matmul(fake(x, -8, 8 * 127 / 128), kernel)
        return {"y": fake(product, -16, 16 * 127 / 128)}

    module.serve = tf.function(serve, input_signature=[tf.TensorSpec((1, 4), name="x")])
    tf.saved_model.save(module, str(tmp_path / "qat"), signatures=module.serve)
    x = np.random.default_rng(0).uniform(-1, 1, (20, 4)).astype(np.float32)
    paths = convert(tmp_path / "qat", [ConversionRequest("qat", "int8")], x, tmp_path, worker)
    interpreter = load(paths["qat"])
    assert (interpreter.inputs[0].scale, interpreter.outputs[0].scale) == (8 / 128, 16 / 128)


def test_a_bigger_batch(converted: Converted, worker: ConversionWorker, tmp_path: Path) -> None:
    save_keras_model(converted.model, tmp_path / "saved_model", batch_size=5)
    request = ConversionRequest("batch", "int8", "float32")
    paths = convert(tmp_path / "saved_model", [request], converted.x, tmp_path, worker)
    interpreter = load(paths["batch"])
    assert interpreter.inputs[0].shape == (5, 8, 8, 2)
    single = load(converted.paths["int8_float32"]).predict(converted.x[:12])
    # 12 = 5 + 5 + 2: the last batch is filled up and its filling dropped.
    assert interpreter.predict(converted.x[:12]).shape == (12, 4)
    spread = converted.logits.std()
    assert np.abs(interpreter.predict(converted.x[:12]) - single).mean() < 0.02 * spread
    with pytest.raises(PromiseError, match="fewer representative samples than one batch of 5"):
        convert(tmp_path / "saved_model", [request], converted.x[:4], tmp_path, worker)


def test_refusals_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no SavedModel here"):
        convert(tmp_path, [ConversionRequest("a", "float32")], None, tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ArtifactError, match="a: no representative data"):
        convert(tmp_path, [ConversionRequest("a", "int8")], None, tmp_path)


def test_nothing_reaches_the_screen(
    converted: Converted, worker: ConversionWorker, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    save_keras_model(converted.model, tmp_path / "saved_model")
    convert(tmp_path / "saved_model", [converted.requests["int8"]], converted.x, tmp_path, worker)
    assert capfd.readouterr() == ("", "")
    assert sorted(os.listdir(tmp_path)) == ["int8.tflite", "saved_model"]
