from __future__ import annotations

from typing import Any

import pytest

from pipeline.reporting.weight_charts import MAX_SHOWN, STRIPS, columns, draw_weights
from pipeline.reporting.weights import build_weights, layer_names
from tests.reporting.sample_run import kernels


def test_layers_are_paired_with_their_float_kernel() -> None:
    found = build_weights(kernels(), "int8")
    assert found is not None
    assert (found["before"], found["after"]) == ("float", "int8")
    assert [layer["name"] for layer in found["layers"]] == ["conv_1", "logits"]
    assert [layer["sparsity"] for layer in found["layers"]] == [0.8, 0.8]
    assert found["layers"][0]["before"]["zeros"] == 0
    assert found["layers"][0]["dtype"] == "int8"


def test_kernels_in_another_order_are_paired_by_a_shape_of_their_own() -> None:
    told = kernels()
    told["int8"].reverse()
    told["int8"].append({**told["int8"][0], "name": "net/extra_1/kernel", "shape": [7]})
    found = build_weights(told, "int8")
    assert found is not None
    assert [layer["name"] for layer in found["layers"][:2]] == ["logits", "conv_1"]
    assert found["layers"][2]["before"] is None


def test_a_float_file_alone_and_nothing_at_all() -> None:
    found = build_weights({"float": kernels()["float"]}, "float")
    assert found is not None and found["before"] is None and found["layers"][0]["before"] is None
    assert build_weights(None, None) is build_weights({}, "int8") is None


@pytest.mark.parametrize(
    ("tensors", "names"),
    [
        (["net_1/conv_2_1/convolution", "net_1/out_1/MatMul"], ["conv_2", "out"]),
        (["net/conv_2/convolution", "net/out/MatMul"], ["conv_2", "out"]),
        (["net_1/a/MatMul", "net_1/a/MatMul_2"], ["net_1/a/MatMul", "net_1/a/MatMul_2"]),
        (["net/block/conv/kernel;net/block/conv/bias", "weights"], ["block/conv", "weights"]),
    ],
)
def test_names_of_layers(tensors: list[str], names: list[str]) -> None:
    assert layer_names(tensors) == names


@pytest.mark.parametrize("layers", [1, 2, 5, 12, 13, 40, 53])
def test_every_layer_stands_in_one_column(layers: int) -> None:
    pieces = columns(layers)
    assert [i for start, size in pieces for i in range(start, start + size)] == list(range(layers))
    assert max(size for _, size in pieces) <= STRIPS


def test_many_layers_fold_away_and_empty_ones_are_drawn() -> None:
    kernel: dict[str, Any] = {
        "name": "k", "shape": [1], "dtype": "int8", "low": 0.0, "high": 0.0, "counts": [0] * 4,
        "zeros": 9, "parameters": 9, "distinct": 1,
    }  # fmt: skip
    told = {"int8": [{**kernel, "name": f"net/l{i}/kernel"} for i in range(MAX_SHOWN + 2)]}
    drawn = draw_weights(build_weights(told, "int8"))
    assert drawn["folded_layers"] == 2 and len(drawn["folded"]) >= 1
    assert "100.0 % zeros" in drawn["shown"][0]
    assert draw_weights(None)["shown"] == []
