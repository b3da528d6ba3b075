"""Units that answer with a constant, which ai-edge-quantizer alone would make 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.runtime import import_tensorflow
from pipeline.tflite import static_weights
from pipeline.tflite.bias_range import LARGEST_BIAS, mend_bias_range
from pipeline.tflite.calibration import calibration_edited
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.flatbuffer import decode_model
from pipeline.tflite.interpreter import load
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.worker import ConversionWorker


@pytest.fixture(scope="module")
def constant_units(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path, np.ndarray]:
    """A convolution and a dense layer, each with a channel of zeros that has a bias."""
    import_tensorflow()
    import keras

    generator = np.random.default_rng(0)
    image = keras.Input((6, 6, 1), name="image")
    x = keras.layers.Conv2D(4, 3, name="conv")(image)
    x = keras.layers.Flatten(name="flat")(x)
    model = keras.Model(image, keras.layers.Dense(5, name="head")(x))
    for layer, bias in (("conv", [0.5, 0.7, -0.3, 0.2]), ("head", [0.1, -0.7, 0.2, 0.0, 0.3])):
        kernel = generator.normal(size=model.get_layer(layer).kernel.shape) / 4
        kernel[..., 1] = 0.0
        model.get_layer(layer).set_weights([kernel, np.array(bias)])
    folder = tmp_path_factory.mktemp("constant") / "saved_model"
    save_keras_model(model, folder)
    return model, folder, generator.normal(size=(32, 6, 6, 1)).astype(np.float32)


@pytest.mark.parametrize("algorithm", ["min_max", "octav"])
def test_constants_are_kept(
    constant_units: Any, worker: ConversionWorker, tmp_path: Path, algorithm: Any
) -> None:
    model, saved, x = constant_units
    asked = ConversionRequest("a", "int8x4", "float32", weight_algorithm=algorithm)
    path = convert(saved, [asked], x, tmp_path, worker)["a"]
    outputs = load(path).predict(x)
    assert np.abs(outputs[:, 1] + 0.7).max() < 0.02
    for operator in (read := decode_model(path.read_bytes()).main).operators:
        if operator.name in ("CONV_2D", "FULLY_CONNECTED"):
            kernel, bias = (read.tensors[index] for index in operator.inputs[1:3])
            assert (
                bias.data is not None
                and np.abs(bias.data).max() <= 1.01 * LARGEST_BIAS[kernel.dtype]
            )
            source = read.tensors[operator.inputs[0]]
            np.testing.assert_allclose(bias.scales, kernel.scales * source.scales, rtol=1e-6)
    assert np.abs(outputs - model.predict(x, verbose=0)).mean() < 0.2


def test_every_call_of_a_layer_keeps_them(worker: ConversionWorker, tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)
    given, twice = keras.Input((6,), name="x"), keras.layers.Dense(6, "relu", name="twice")
    model = keras.Model(given, keras.layers.Dense(3, name="head")(twice(twice(given))))
    kernel = twice.get_weights()[0] * 2
    kernel[:, 1] = 0.0
    twice.set_weights([kernel, np.array([0.1, 0.7, 0.2, 0.3, 0.1, 0.5])])
    save_keras_model(model, tmp_path / "saved_model")
    asked = ConversionRequest("a", "int8x4", "float32")
    path = convert(tmp_path / "saved_model", [asked], x, tmp_path, worker)["a"]
    expected = model.predict(x, verbose=0)
    assert np.abs(load(path).predict(x) - expected).mean() < 0.15 * expected.std()


def test_ai_edge_quantizer_still_loses_them(
    constant_units: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails once it does not: `mend_bias_range` can then go."""
    from pipeline.tflite import convert_worker

    _, saved, x = constant_units
    samples = tmp_path / "samples.npz"
    np.savez(samples, **{"input:": x})
    order = {
        "saved_model": str(saved), "scheme": "int8", "io_dtype": "float32", "ranges": "min_max",
        "dense_scales": "per_channel", "float_operators": "refuse", "weight_algorithm": "octav",
        "block_size": None, "percentile": 99.0, "calibrated": None, "layers": None,
        "custom_operators": False, "representative": str(samples),
    }  # fmt: skip
    found: list[bytes] = []

    def keep(calibrated: bytes) -> bytes:
        found.append(calibrated)
        return calibrated

    with calibration_edited(keep):
        convert_worker._make_converter(order).convert()
    monkeypatch.setattr(static_weights, "mend_bias_range", lambda content, in_float: content)
    made = static_weights.quantize_static(
        found[0], "int8", "float32", "per_channel", "min_max", None
    )
    path = tmp_path / "lost.tflite"
    path.write_bytes(made)
    assert np.abs(load(path).predict(x)[:, 1]).max() < 0.01
    path.write_bytes(mend_bias_range(made, found[0]))
    assert np.abs(load(path).predict(x)[:, 1] + 0.7).max() < 0.02
    assert mend_bias_range(path.read_bytes(), found[0]) == path.read_bytes()
