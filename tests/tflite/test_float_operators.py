"""What stays in float: named where it is allowed, nothing where nothing must."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import ArtifactError, PromiseError
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.float_operators import FloatOperator, find_float_operators
from pipeline.tflite.inspect import inspect
from pipeline.tflite.interpreter import load
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.verify import check_dtypes
from pipeline.tflite.worker import ConversionWorker
from tests.tflite.conftest import Converted

X = np.random.default_rng(0).normal(size=(40, 6, 3)).astype(np.float32)


def elu_model() -> Any:
    """ELU has no integer kernel in TFLite (tensorflow 2.21.0)."""
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(1)
    stack = [keras.Input((6, 3), name="x"), layers.Dense(8, "elu"), layers.Flatten()]
    return keras.Sequential([*stack, layers.Dense(4, "elu"), layers.Dense(4, name="logits")])


def make(model: Any, request: ConversionRequest, worker: ConversionWorker, folder: Path) -> Path:
    save_keras_model(model, folder / "saved")
    return convert(folder / "saved", [request], X, folder, worker)[request.name]


def test_what_stays_in_float_is_named(worker: ConversionWorker, tmp_path: Path) -> None:
    model, request = elu_model(), ConversionRequest("elu", "int8", float_operators="allow")
    path = make(model, request, worker, tmp_path)
    check_dtypes(path, request)
    (elu,) = find_float_operators(path)
    assert (str(elu), elu.to_json()["operator"]) == ("ELU × 2", "ELU")
    assert len(elu.tensors) == 4, "in and out of each"
    assert inspect(path).inputs == {"x": "int8"}
    assert {kernel.dtype for kernel in inspect(path).kernels} == {"int8"}
    reference = model.predict(X, verbose=0)
    assert np.abs(load(path).predict(X) - reference).mean() < 0.05 * reference.std()
    with pytest.raises(PromiseError, match=r"ELU × 2 computes in float32 .*promised integers"):
        check_dtypes(path, ConversionRequest("elu", "int8"))


def test_what_needs_no_float_stays_integer(
    converted: Converted, worker: ConversionWorker, tmp_path: Path
) -> None:
    request = ConversionRequest("int8", "int8", float_operators="allow")
    paths = convert(converted.saved_model, [request], converted.x, tmp_path, worker)
    assert paths["int8"].read_bytes() == converted.paths["int8"].read_bytes()
    assert find_float_operators(paths["int8"]) == ()


def test_what_the_converter_refuses_is_tried_again_in_float(
    worker: ConversionWorker, tmp_path: Path
) -> None:
    """int8 leaves such operators in float by itself, int16x8 does not (tensorflow 2.21.0)."""
    model = elu_model()
    with pytest.raises(PromiseError, match="16x8-bit not yet supported for op: 'ELU'"):
        make(model, ConversionRequest("strict", "int16x8"), worker, tmp_path)
    request = ConversionRequest("elu", "int16x8", float_operators="allow")
    path = make(model, request, worker, tmp_path)
    check_dtypes(path, request)
    assert list(map(str, find_float_operators(path))) == ["ELU × 2"]
    assert inspect(path).inputs == {"x": "int16"}
    reference = model.predict(X, verbose=0)
    assert np.abs(load(path).predict(X) - reference).mean() < 0.02 * reference.std()


def test_a_file_that_fails_when_it_runs_is_refused(
    worker: ConversionWorker, tmp_path: Path
) -> None:
    """LiteRT 2.3.0 loads a SQUARED_DIFFERENCE of int16 and then cannot run it."""
    import keras

    layers = keras.layers
    model = keras.Sequential([keras.Input((6, 3)), layers.Dense(4), layers.LayerNormalization()])
    request = ConversionRequest("normal", "int16x8", float_operators="allow")
    path = make(model, request, worker, tmp_path)
    with pytest.raises(ArtifactError, match=r"normal.tflite: LiteRT cannot run this file: Squared"):
        load(path).predict(X)


def test_files_in_float_throughout_and_in_integers(converted: Converted) -> None:
    found = find_float_operators(converted.paths["float32"])
    assert {operator.operator for operator in found} >= {"CONV_2D", "FULLY_CONNECTED"}
    assert find_float_operators(converted.paths["int16x8_float32"]) == ()
    assert FloatOperator("GELU", 1, ("a",)).to_json() == {
        "operator": "GELU", "count": 1, "tensors": ["a"],
    }  # fmt: skip
