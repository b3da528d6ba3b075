"""What is counted in files of a model whose numbers are known."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from pipeline.tflite.flatbuffer import Operator, Subgraph, read_model
from pipeline.tflite.inspect import dequantized_from, inspect, kernels_by_operator
from tests.tflite.conftest import Converted

# conv 3·3·2·8 + 8, depthwise 3·3·8 + 8, dense 288·4 + 4.
PARAMETERS = 144 + 8 + 72 + 8 + 1152 + 4
DENSE_ZEROS = 288 * 3 // 4 * 4
# 8·8·8 outputs of 18, 6·6·8 of 9, 288·4.
MACS = {"CONV_2D": 9216, "DEPTHWISE_CONV_2D": 2592, "FULLY_CONNECTED": 1152}


@pytest.mark.parametrize("name", ["float32", "float16", "dynamic_range", "int8", "int16x8"])
def test_parameters_zeros_and_macs_of_every_scheme(converted: Converted, name: str) -> None:
    found = inspect(converted.paths[name])
    assert found.parameters == PARAMETERS
    assert found.macs == MACS
    assert found.total_macs == 12960
    assert found.uncounted == ()
    dense = next(weight for weight in found.kernels if weight.shape == (4, 288))
    # Quantization may round small weights to zero, but never a zero away.
    assert DENSE_ZEROS <= dense.counts.zeros <= DENSE_ZEROS + 20
    assert [len(found.kernels), len(found.weights)] == [3, 6]
    assert found.non_zeros == PARAMETERS - sum(weight.counts.zeros for weight in found.weights)
    assert found.sparsity == pytest.approx(
        sum(kernel.counts.zeros for kernel in found.kernels) / (144 + 72 + 1152)
    )


@pytest.mark.parametrize(
    ("name", "kernel", "bias"),
    [
        ("float32", "float32", "float32"),
        ("float16", "float16", "float16"),
        ("int8", "int8", "int32"),
        ("int16x8", "int8", "int64"),
    ],
)
def test_dtypes_by_role(converted: Converted, name: str, kernel: str, bias: str) -> None:
    found = inspect(converted.paths[name])
    assert {weight.dtype for weight in found.kernels} == {kernel}
    assert {weight.dtype for weight in found.weights if weight.role == "bias"} == {bias}


def test_float_zeros_are_exact_and_distinct_values_bounded(converted: Converted) -> None:
    dense = next(w for w in inspect(converted.paths["float32"]).kernels if w.shape == (4, 288))
    assert dense.counts.zeros == DENSE_ZEROS
    assert dense.counts.distinct == 1152 - DENSE_ZEROS + 1
    quantized = next(w for w in inspect(converted.paths["int8"]).kernels if w.shape == (4, 288))
    assert 1 < quantized.counts.distinct <= 255
    assert (quantized.scales, quantized.quantized_dimension) == (4, 0)


def test_json_names(converted: Converted) -> None:
    content = inspect(converted.paths["int8"]).to_json()
    assert set(content["tensors"][0]) == {
        "name", "shape", "dtype", "role", "parameters", "zeros", "sparsity", "distinct",
        "quantized_dimension", "scales", "entropy_bytes",
    }  # fmt: skip
    assert content["operators"]["CONV_2D"] == 1
    assert content["inputs"] == {"image": "int8"}


@pytest.mark.parametrize("name", ["float32", "int8"])
def test_entropy_is_that_of_the_kernels_codes(converted: Converted, name: str) -> None:
    found = inspect(converted.paths[name])
    bits = 0.0
    for _, tensor in kernels_by_operator(read_model(converted.paths[name]).main):
        assert tensor.data is not None
        counts = Counter(tensor.data.reshape(-1).tolist())
        bits -= sum(n * math.log2(n / tensor.data.size) for n in counts.values())
    assert found.entropy_bytes == math.ceil(bits / 8 - 1e-9)
    assert (
        0
        < found.entropy_bytes
        < sum(
            weight.counts.parameters * (4 if name == "float32" else 1) for weight in found.kernels
        )
    )


def test_what_is_dequantized() -> None:
    operators = (Operator("DEQUANTIZE", (7,), (2,)), Operator("FULLY_CONNECTED", (0, 2, -1), (3,)))
    assert dequantized_from(Subgraph((), operators, (0,), (3,))) == {2: 7}
