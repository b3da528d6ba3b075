"""Scales rounded in a real file: the function stays, the file is smaller once compressed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.compression.sizes import gzip_size
from pipeline.errors import ConfigError
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.flatbuffer import Tensor, decode_model, read_model
from pipeline.tflite.inspect import kernels_by_operator
from pipeline.tflite.interpreter import load
from pipeline.tflite.power_of_two_scales import round_scales
from pipeline.tflite.worker import ConversionWorker
from tests.tflite.conftest import Converted


def kernels(path: Path) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in kernels_by_operator(read_model(path).main)}


def real(tensor: Tensor) -> np.ndarray:
    shape = [1] * len(tensor.shape)
    shape[tensor.quantized_dimension] = -1
    return np.asarray(tensor.data, np.float64) * tensor.scales.reshape(shape)


@pytest.fixture(scope="module")
def files(
    converted: Converted, worker: ConversionWorker, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    requests = [
        ConversionRequest("exact", "int8", "float32"),
        ConversionRequest("rounded", "int8", "float32", weight_scales="power_of_two"),
        ConversionRequest("corrected", "int8", "float32", weight_scales="power_of_two",
                          bias_correction=True),
        ConversionRequest("wide", "int16x8", "float32", weight_scales="power_of_two"),
    ]  # fmt: skip
    folder = tmp_path_factory.mktemp("power_of_two")
    return convert(converted.saved_model, requests, converted.x, folder, worker)


@pytest.mark.parametrize("name", ["rounded", "corrected", "wide"])
def test_every_scale_is_a_power_of_two_and_kernels_stay(files: dict[str, Path], name: str) -> None:
    before, after = kernels(files["exact"]), kernels(files[name])
    assert len(before) == len(after) == 3
    for operator, kernel in after.items():
        assert (np.frexp(kernel.scales)[0] == 0.5).all()
        # Half a step of the converter's rounding and half of this one, at most.
        shape = [1] * len(kernel.shape)
        shape[kernel.quantized_dimension] = -1
        step = kernel.scales.astype(np.float64).reshape(shape)
        assert (np.abs(real(kernel) - real(before[operator])) <= step / 2 + 1e-9).all()
        assert ((kernel.data == 0) >= (before[operator].data == 0)).all()


def test_biases_have_the_scale_of_their_products(files: dict[str, Path]) -> None:
    model = read_model(files["rounded"]).main
    for operator in model.operators:
        if operator.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            continue
        source, kernel, bias = (model.tensors[index] for index in operator.inputs[:3])
        np.testing.assert_allclose(bias.scales, source.scales * kernel.scales, rtol=1e-6)


def test_answers_stay_and_bytes_go(converted: Converted, files: dict[str, Path]) -> None:
    spread = converted.logits.std()
    for path in files.values():
        outputs = load(path).predict(converted.x)
        assert np.abs(outputs - converted.logits).mean() < 0.05 * spread
    sizes = {name: gzip_size(path.read_bytes()) for name, path in files.items()}
    assert sizes["rounded"] < 0.97 * sizes["exact"]


def test_a_file_without_integer_kernels_stays_as_it_is(converted: Converted) -> None:
    content = converted.paths["float32"].read_bytes()
    assert round_scales(content) is content
    assert decode_model(content).main.operators


def test_other_schemes_and_words_are_refused() -> None:
    with pytest.raises(ConfigError, match="weight_scales 'power_of_two' with scheme 'float16'"):
        ConversionRequest("a", "float16", weight_scales="power_of_two")
    with pytest.raises(ConfigError, match="weight_scales 'two': expected one of exact, power_of"):
        ConversionRequest("a", "int8", weight_scales="two")  # type: ignore[arg-type]
