"""Integer files with schemes per layer and int4 weights: what is in them, and what they answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import PromiseError
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.flatbuffer import read_model
from pipeline.tflite.float_operators import find_float_operators
from pipeline.tflite.interpreter import load
from pipeline.tflite.layer_schemes import LayerSchemes
from pipeline.tflite.micro import NOT_AVAILABLE, measure_arenas
from pipeline.tflite.static_weights import kernel_dtype
from pipeline.tflite.verify import check_dtypes
from pipeline.tflite.worker import ConversionWorker
from tests.tflite.conftest import Converted
from tests.tflite.test_layer_schemes import NAMES


def layers(**schemes: str) -> LayerSchemes:
    return LayerSchemes(tuple(schemes.items()), NAMES)


REQUESTS = {
    request.name: request
    for request in (
        ConversionRequest("wide", "int8", layers=layers(conv="int16x8", logits="float32")),
        ConversionRequest("all_int8", "int8x4", layers=layers(conv="int8", logits="int8")),
        ConversionRequest("uint8", "int8", "uint8", layers=layers(logits="int4")),
        ConversionRequest(
            "corrected", "int8x4", "float32", "per_tensor", ranges="mse", bias_correction=True
        ),
        ConversionRequest("in_float", "int8", layers=layers(conv="float32", depthwise="float32")),
    )
}


@pytest.fixture(scope="module")
def made(
    converted: Converted, worker: ConversionWorker, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("static")
    requests = list(REQUESTS.values())
    return convert(converted.saved_model, requests, converted.x, folder, worker)


def kernels(path: Path) -> dict[str, str]:
    main = read_model(path).main
    return {
        operator.name: main.tensors[operator.inputs[1]].dtype
        for operator in main.operators
        if len(operator.inputs) > 2 or operator.name == "FULLY_CONNECTED"
    }


def error(path: Path, converted: Converted) -> float:
    difference = load(path).predict(converted.x) - converted.logits
    return float(np.abs(difference).mean() / converted.logits.std(axis=0).mean())


def test_each_file_is_as_it_was_asked_for(made: dict[str, Path]) -> None:
    for name, path in made.items():
        check_dtypes(path, REQUESTS[name])
    assert kernels(made["wide"]) == {
        "CONV_2D": "int8", "DEPTHWISE_CONV_2D": "int8", "FULLY_CONNECTED": "float32"
    }  # fmt: skip
    assert kernels(made["uint8"])["FULLY_CONNECTED"] == "int4"
    assert kernels(made["corrected"]) == {
        "CONV_2D": "int4", "DEPTHWISE_CONV_2D": "int8", "FULLY_CONNECTED": "int4"
    }  # fmt: skip
    main = read_model(made["wide"]).main
    conv = next(operator for operator in main.operators if operator.name == "CONV_2D")
    assert main.tensors[conv.outputs[0]].dtype == "int16"
    assert [str(found) for found in find_float_operators(made["in_float"])] == [
        "CONV_2D × 1", "DEPTHWISE_CONV_2D × 1"
    ]  # fmt: skip


def test_outputs_are_those_of_keras_and_better_the_wider(
    converted: Converted, made: dict[str, Path]
) -> None:
    found = {name: error(path, converted) for name, path in (converted.paths | made).items()}
    assert found["wide"] < found["int8"] < 0.05
    assert found["in_float"] < 0.05 and found["uint8"] < 0.3
    assert found["corrected"] < found["int8x4"] < 0.3


def test_both_quantizers_make_the_same_numbers_of_int8(
    converted: Converted, made: dict[str, Path]
) -> None:
    ours, theirs = (load(path).predict(converted.x)
                    for path in (made["all_int8"], converted.paths["int8"]))  # fmt: skip
    np.testing.assert_array_equal(ours, theirs)


def test_tflite_micro_runs_all_but_dense_kernels_in_int4_with_a_scale_per_output(
    converted: Converted, made: dict[str, Path]
) -> None:
    found = measure_arenas(
        [made["wide"], made["in_float"], made["corrected"], converted.paths["int8x4"]]
    )
    if found[0][1] == NOT_AVAILABLE:
        pytest.skip(NOT_AVAILABLE)
    assert [note for _, note in found[:3]] == [None] * 3
    refused = found[3][1]
    assert refused is not None and "Node FULLY_CONNECTED" in refused


def test_tflite_micro_answers_as_litert_does(converted: Converted, made: dict[str, Path]) -> None:
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    for name in ("wide", "in_float"):
        path = made[name]
        interpreter = runtime.Interpreter.from_bytes(path.read_bytes(), arena_size=1 << 20)
        read = read_model(path).main
        source, target = (read.tensors[places[0]] for places in (read.inputs, read.outputs))
        found = []
        for sample in converted.x[:16]:
            codes = np.rint(sample[None] / source.scales[0] + source.zero_points[0])
            interpreter.set_input(np.clip(codes, -128, 127).astype(np.int8), 0)
            interpreter.invoke()
            found.append(interpreter.get_output(0)[0].astype(np.float64))
        values = (np.array(found) - target.zero_points[0]) * target.scales[0]
        difference = np.abs(values - load(path).predict(converted.x[:16])).max()
        assert difference <= 4.01 * target.scales[0], name


def test_an_operator_without_the_form_is_refused_by_name(
    converted: Converted, worker: ConversionWorker, tmp_path: Path
) -> None:
    asked = ConversionRequest("a", "int8", layers=layers(image="int16x8"))
    path = convert(converted.saved_model, [asked], converted.x, tmp_path, worker)["a"]
    with pytest.raises(PromiseError, match=r"no operator .* quantize.layers.image matches"):
        check_dtypes(path, asked)
    with pytest.raises(PromiseError, match=r"of CONV_2D is int8, promised int4 \(scheme int8x4\)"):
        check_dtypes(converted.paths["int8"], ConversionRequest("a", "int8x4"))


def test_kernels_without_an_int4_form_get_int8() -> None:
    assert kernel_dtype("int8x4", "CONV_2D") == kernel_dtype("int4", "FULLY_CONNECTED") == "int4"
    assert kernel_dtype("int8x4", "DEPTHWISE_CONV_2D") == kernel_dtype("int8", "CONV_2D") == "int8"
