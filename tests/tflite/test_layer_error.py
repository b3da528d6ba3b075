"""The error of each layer: measured where it was made, and found again where it was planted."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.compression.signal_noise import find_outlier
from pipeline.tflite.flatbuffer import ModelFile, Operator, Subgraph, Tensor, decode_model
from pipeline.tflite.layer_error import (
    LayerError,
    group_operators,
    match_tensors,
    measure_layer_errors,
)
from pipeline.tflite.layer_of_operator import LayerNames
from tests.tflite.conftest import Converted

NAMES = LayerNames(("conv", "depthwise", "flat", "logits"))


def measure(converted: Converted, content: bytes) -> dict[str, LayerError]:
    in_float = converted.paths["float32"].read_bytes()
    rows = measure_layer_errors(content, in_float, NAMES, converted.x[:16])
    return {row.layers[0]: row for row in rows}


@pytest.mark.parametrize("name", ["int8", "int16x8"])
def test_every_layer_has_its_own_error_and_the_one_that_has_gathered(
    converted: Converted, name: str
) -> None:
    rows = measure(converted, converted.paths[name].read_bytes())
    assert tuple(rows) == NAMES.layers
    assert rows["conv"].operators == ("CONV_2D",)
    # Nothing comes before the first layer.
    assert rows["conv"].own.sqnr_db == pytest.approx(rows["conv"].accumulated.sqnr_db, abs=0.1)
    for row in rows.values():
        assert row.own.elements == row.accumulated.elements > 0
        assert row.own.sqnr_db is not None and row.own.sqnr_db > 25
    outputs = converted.logits[:16]
    assert rows["logits"].accumulated.signal == pytest.approx(np.square(outputs).sum(), rel=1e-4)


def test_16_bits_have_less_noise_than_8(converted: Converted) -> None:
    own = {name: measure(converted, converted.paths[name].read_bytes())["flat"].own.sqnr_db
           for name in ("int8", "int16x8")}  # fmt: skip
    # A code of 1/256 as large: 20 · log10(256) = 48 dB.
    assert own["int16x8"] - own["int8"] == pytest.approx(48, abs=2)  # type: ignore[operator]


def test_inputs_in_float_change_nothing(converted: Converted) -> None:
    rows = measure(converted, converted.paths["int8_float32"].read_bytes())
    assert tuple(rows) == NAMES.layers and all(row.own.elements for row in rows.values())


def test_an_error_that_is_planted_is_found_in_its_layer(converted: Converted) -> None:
    before = measure(converted, converted.paths["int8"].read_bytes())
    content = bytearray(converted.paths["int8"].read_bytes())
    file = decode_model(content)  # type: ignore[arg-type]  # writable
    operator = next(op for op in file.main.operators if op.name == "DEPTHWISE_CONV_2D")
    kernel = file.main.tensors[operator.inputs[1]].data
    assert kernel is not None
    kernel[:] = kernel // 64 * 64  # two bits of the kernel are left
    after = measure(converted, bytes(content))
    ratios = [row.own.sqnr_db for row in after.values()]
    assert find_outlier(ratios) == NAMES.layers.index("depthwise")
    assert after["conv"].to_json() == before["conv"].to_json()
    assert after["logits"].own.sqnr_db == before["logits"].own.sqnr_db
    assert after["logits"].accumulated.sqnr_db < before["logits"].accumulated.sqnr_db - 10


def graph(*operators: Operator, outputs: tuple[int, ...] = (3,)) -> ModelFile:
    none = np.zeros(0, np.float32)
    tensors = tuple(
        Tensor(i, f"t{i}", (1, 2), "int8", None, none, none, 0, 0, is_variable=i == 9)
        for i in range(10)
    )
    return ModelFile((Subgraph(tensors, operators, (0,), outputs),), {0: "x"}, {3: "y"})


def test_operators_of_a_layer_stand_together_where_they_follow_one_another() -> None:
    file = graph(
        Operator("CONV_2D", (0, 9, -1), (1,)),
        Operator("LOGISTIC", (1,), (2,)),
        Operator("CONV_2D", (0,), (4,)),
        Operator("MUL", (1, 2), (3,)),
        Operator("ADD", (3, 4), (5,)),
        Operator("CONV_2D", (5,), (6,)),
    )
    layers = [("a",), ("a",), ("b", "relu"), ("a", "act"), (), ("b",)]
    found = group_operators(file, layers)
    assert [group.operators for group in found] == [(0, 1, 3), (2,), (5,)]
    assert found[0].layers == ("a", "act")
    assert (found[0].inputs, found[0].output) == ((0,), 3)


def test_a_tensor_behind_a_change_of_type_is_the_one_before_it() -> None:
    quantized = graph(
        Operator("QUANTIZE", (0,), (1,)), Operator("CONV_2D", (1,), (2,)),
        Operator("DEQUANTIZE", (2,), (3,)),
    )  # fmt: skip
    in_float = graph(Operator("CONV_2D", (0,), (3,)))
    for index in (1, 2):
        vars(in_float.main.tensors[index])["name"] = "another"
    assert match_tensors(quantized, in_float) == {
        **{index: index for index in range(10)}, 1: 0, 2: 3
    }  # fmt: skip
