"""Operators of a file are traced back to the calls that they come from."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from pipeline.bridge.graph import walk
from pipeline.preflight.traced_calls import call_number, run_calls, save_traced_calls
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.flatbuffer import read_model
from pipeline.tflite.worker import ConversionWorker
from tests.bridge.bridge_models import operators, shared_convolution


def test_each_call_of_a_shared_layer_has_its_own_number(
    tmp_path: Path, converter: ConversionWorker
) -> None:
    graph = walk(shared_convolution())
    save_traced_calls(graph, tmp_path / "saved")
    request = ConversionRequest("float", "float32")
    path = convert(tmp_path / "saved", [request], None, tmp_path, converter)["float"]
    made = read_model(path)
    numbers: dict[str, list[int | None]] = {}
    for operator in made.main.operators:
        numbers.setdefault(operator.name, []).append(call_number(operator, made.main, made))
    assert numbers["CONV_2D"] == [0, 1]
    assert [graph.calls[n].name for n in numbers["FULLY_CONNECTED"]] == ["logits"]


def test_run_call_by_call_the_model_answers_the_same() -> None:
    model = operators()
    graph = walk(model)
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 1)).astype(np.float32)
    tensors = {graph.inputs[0].ref: keras.ops.convert_to_tensor(x)}
    values = run_calls(graph, tensors)
    received = values[graph.output_refs()[0]]
    np.testing.assert_allclose(received, model(x), rtol=1e-6)
