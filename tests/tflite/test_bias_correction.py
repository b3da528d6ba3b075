"""Bias correction on real files: what the layers are off by, before and after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.errors import PromiseError
from pipeline.tflite.bias_correction import (
    bias_index,
    correct_biases,
    find_uncorrected,
    match_operators,
)
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.flatbuffer import ModelFile, read_model
from pipeline.tflite.interpreter import load
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.verify import check_dtypes
from pipeline.tflite.worker import ConversionWorker

REQUESTS = (
    ConversionRequest("float", "float32"),
    ConversionRequest("plain", "int8", "float32", "per_tensor"),
    ConversionRequest("corrected", "int8", "float32", "per_tensor", bias_correction=True),
    ConversionRequest("clipped", "int8", "float32", ranges="mse", bias_correction=True),
    ConversionRequest("coarse", "int8", "float32", weight_scales="power_of_two"),
    ConversionRequest(
        "coarse_corrected", "int8", "float32", weight_scales="power_of_two", bias_correction=True
    ),
    ConversionRequest("int16x8", "int16x8", "float32", bias_correction=True),
)


def build_net() -> Any:
    """Two branches, a layer without a bias, a transposed convolution, one layer called twice."""
    import keras

    layers = keras.layers
    image = keras.Input((6, 6, 2), name="image")
    x = layers.Conv2D(6, 3, 2, padding="same", activation="relu", name="conv")(image)
    left = layers.DepthwiseConv2D(3, padding="same", activation="relu", name="depthwise")(x)
    right = layers.Conv2DTranspose(6, 3, padding="same", name="transposed")(x)
    shared = layers.Dense(6, activation="relu", name="shared")
    y = layers.Flatten(name="flat")(shared(shared(layers.Add(name="add")([left, right]))))
    y = layers.Dense(24, activation="relu", use_bias=False, name="hidden")(y)
    model = keras.Model(image, layers.Dense(3, name="logits")(y))
    generator = np.random.default_rng(2)
    for weight in model.weights:
        # Many small weights and a few large ones: rounded coarsely.
        values = generator.standard_t(2, weight.shape) / np.sqrt(max(weight.shape[0], 9))
        weight.assign(values.astype(np.float32))
    return model


@pytest.fixture(scope="module")
def net(worker: ConversionWorker, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(samples, outputs of the Keras model, files by request)."""
    folder, model = tmp_path_factory.mktemp("net"), build_net()
    x = np.random.default_rng(5).random((64, 6, 6, 2), np.float32)
    save_keras_model(model, folder / "saved_model")
    files = convert(folder / "saved_model", REQUESTS, x, folder, worker)
    for request in REQUESTS:
        check_dtypes(files[request.name], request)
    return x, model.predict(x, verbose=0), files


def shift(net: Any, name: str) -> np.ndarray:
    """What a file is off by on average, per logit."""
    x, expected, files = net
    found: np.ndarray = np.abs((load(files[name]).predict(x) - expected).mean(axis=0))
    return found


def test_the_mean_of_the_outputs_comes_back(net: Any) -> None:
    assert shift(net, "corrected").max() < 0.25 * shift(net, "plain").max()
    assert shift(net, "coarse_corrected").max() < 0.25 * shift(net, "coarse").max()
    assert shift(net, "int16x8").max() < 0.05 * shift(net, "plain").max()


def test_only_biases_change(net: Any) -> None:
    plain, corrected = (read_model(net[2][name]).main for name in ("plain", "corrected"))
    assert len(corrected.tensors) == len(plain.tensors) + 1  # the bias of "hidden"
    changed = [
        here.name
        for here, there in zip(plain.tensors, corrected.tensors, strict=False)
        if here.data is not None and not np.array_equal(here.data, there.data)
    ]
    biases = {plain.tensors[index].name for index in biases_of(read_model(net[2]["plain"]))}
    assert changed and set(changed) <= biases
    added = corrected.tensors[-1]
    assert (added.dtype, added.shape) == ("int32", (24,))
    assert np.any(added.data)


def test_no_content_is_left_behind_unused(net: Any) -> None:
    model = schema.ModelT.InitFromPackedBuf(net[2]["corrected"].read_bytes(), 0)
    used = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    used |= {entry.buffer for entry in model.metadata}
    unused = [n for n, buffer in enumerate(model.buffers) if buffer.data is not None]
    assert set(unused) <= used


def biases_of(model: ModelFile) -> list[int]:
    kinds = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    return [bias_index(operator) for operator in model.main.operators if operator.name in kinds]


def test_what_is_left_alone_is_named(net: Any) -> None:
    found = find_uncorrected(read_model(net[2]["corrected"]))
    assert [operator.operator for operator in found] == ["TRANSPOSE_CONV"]
    assert "transposed" in found[0].tensor
    assert found[0].reason == "has no bias of one number per output"
    assert str(found[0]).startswith("TRANSPOSE_CONV 'functional")


def test_reasons_to_leave_a_bias_alone(net: Any) -> None:
    model = read_model(net[2]["plain"])
    operators, tensors = list(model.main.operators), list(model.main.tensors)
    first, hidden, dense = operators[1], operators[-3], operators[-2]
    assert (first.name, dense.name) == ("CONV_2D", "FULLY_CONNECTED")
    operators[1] = replace(first, inputs=(*first.inputs[:2], dense.inputs[2]))
    tensors[hidden.outputs[0]] = replace(tensors[hidden.outputs[0]], dtype="float32")
    main = replace(model.main, operators=tuple(operators), tensors=tuple(tensors))
    found = find_uncorrected(replace(model, subgraphs=(main, main)))
    reasons = [(one.operator, one.reason) for one in found]
    assert reasons[:4] == [
        ("CONV_2D", "shares its bias with another call"),
        ("TRANSPOSE_CONV", "has no bias of one number per output"),
        ("FULLY_CONNECTED", "computes in float"),
        ("FULLY_CONNECTED", "shares its bias with another call"),
    ]
    # The body of a loop: all seven.
    assert [reason for _, reason in reasons[4:]] == ["is inside a loop"] * 7


def test_other_kernels_are_no_counterpart(net: Any) -> None:
    model, in_float = read_model(net[2]["plain"]), read_model(net[2]["float"])
    assert len(match_operators(model, in_float)) == 6
    tensors = list(in_float.main.tensors)
    kernel = in_float.main.operators[0].inputs[1]
    assert tensors[kernel].data is not None
    tensors[kernel] = replace(tensors[kernel], data=tensors[kernel].data[::-1])
    swapped = replace(in_float, subgraphs=(replace(in_float.main, tensors=tuple(tensors)),))
    with pytest.raises(PromiseError, match=r"kernel .*conv.* is not .* rounded"):
        match_operators(model, swapped)
    shorter = replace(in_float.main, operators=in_float.main.operators[:-1])
    with pytest.raises(PromiseError, match="4 FULLY_CONNECTED in the quantized file, 3 in the"):
        match_operators(model, replace(in_float, subgraphs=(shorter,)))


def test_corrected_again_nothing_moves(net: Any, tmp_path: Path) -> None:
    x, _, files = net
    content, in_float = (files[name].read_bytes() for name in ("corrected", "float"))
    again = tmp_path / "again.tflite"
    batches = [{"image": sample[None]} for sample in x]
    again.write_bytes(correct_biases(content, in_float, batches))
    before, after = (read_model(path) for path in (files["corrected"], again))
    for index in biases_of(before):
        old, new = before.main.tensors[index].data, after.main.tensors[index].data
        assert old is not None and new is not None
        # Less than a thousandth of the largest bias.
        assert np.abs(old.astype(int) - new).max() <= max(2, np.abs(old).max() / 1000)
