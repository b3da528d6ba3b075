"""Which layer an operator belongs to, by names as the converter makes them."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.tflite.flatbuffer import ModelFile, Operator, Subgraph, Tensor
from pipeline.tflite.layer_of_operator import LayerNames, layers_of_operators

FINAL = "StatefulPartitionedCall:0"


def chain(*operators: tuple[str, str, str], output: str = "") -> ModelFile:
    """A file of operators in a row: (operator, name of its kernel or "", name of its output)."""
    tensors: list[Tensor] = []

    def add(name: str, data: np.ndarray | None = None) -> int:
        none = np.zeros(0, np.float32)
        tensors.append(
            Tensor(len(tensors), name, (2, 2), "int8", data, none, none, 0, 0, is_variable=False)
        )
        return len(tensors) - 1

    last = first = add("serving_default_x:0")
    rows = []
    for kind, kernel, result in operators:
        inputs = (last, add(kernel, np.zeros((2, 2)))) if kernel else (last,)
        last = add(result)
        rows.append(Operator(kind, inputs, (last,)))
    graph = Subgraph(tuple(tensors), tuple(rows), (first,), (last,))
    return ModelFile((graph,), {first: "x"}, {last: output})


def test_fused_operators_name_all_their_layers_in_order_of_execution() -> None:
    names = LayerNames(("conv", "bn", "relu", "add", "act"))
    file = chain(
        ("CONV_2D", "net_1/conv_1/convolution", "net_1/relu_1/Relu;net_1/conv_1/convolution"),
        ("ADD", "", "net_1/act_1/Relu;net_1/add_1/Add"),
        ("ADD", "", "net_1/Add"),
    )
    assert layers_of_operators(file, names) == [("conv", "relu"), ("add", "act"), ()]


def test_a_number_is_of_the_call_or_of_the_layer() -> None:
    names = LayerNames(("dense", "dense_1", "dense_2"))
    keras_3 = chain(
        ("FULLY_CONNECTED", "", "net_1/dense_1/MatMul"),
        ("FULLY_CONNECTED", "", "net_1/dense_1_1/MatMul"),
        ("FULLY_CONNECTED", "", "net_1/dense_1_3/MatMul"),
        ("FULLY_CONNECTED", "net_1/dense_2_1/MatMul", FINAL),
    )
    assert layers_of_operators(keras_3, names) == [
        ("dense",), ("dense_1",), ("dense_1",), ("dense_2",)
    ]  # fmt: skip
    from_tfmot = chain(
        ("FULLY_CONNECTED", "", "net/quant_dense/MatMul"),
        ("FULLY_CONNECTED", "", "net/dense_1/MatMul_1;net/dense_1/Relu"),
        ("FULLY_CONNECTED", "net/quant_dense_2/MatMul;net/quant_dense_2/LastValueQuant/F", FINAL),
    )
    assert layers_of_operators(from_tfmot, names) == [("dense",), ("dense_1",), ("dense_2",)]


def test_layers_of_nested_models_are_told_from_those_outside() -> None:
    names = LayerNames(("block/dense", "dense"))
    file = chain(
        ("FULLY_CONNECTED", "", "net_1/block_1/dense_1/MatMul"),
        ("FULLY_CONNECTED", "", "net_1/dense_1/MatMul"),
    )
    assert layers_of_operators(file, names) == [("block/dense",), ("dense",)]
    file = chain(
        ("FULLY_CONNECTED", "", "net/quant_block/dense/MatMul"),
        ("FULLY_CONNECTED", "", "net/quant_dense/MatMul"),
    )
    assert layers_of_operators(file, names) == [("block/dense",), ("dense",)]


def test_quantizers_of_the_operator_before_do_not_count() -> None:
    names = LayerNames(("conv", "flat"))
    joined = "net/quant_flat/Reshape;net/quant_conv/MovingAvgQuantize/FakeQuantWithMinMaxVars"
    assert layers_of_operators(chain(("RESHAPE", "", joined)), names) == [("flat",)]


@pytest.mark.parametrize("boundary", [(), (("DEQUANTIZE", "", FINAL),)])
def test_the_last_operator_is_found_by_the_name_of_the_output(boundary: tuple[()]) -> None:
    names = LayerNames(("dense", "soft"))
    file = chain(
        ("FULLY_CONNECTED", "", "net_1/dense_1/MatMul"), ("SOFTMAX", "", FINAL), *boundary,
        output="soft",
    )  # fmt: skip
    assert layers_of_operators(file, names) == [("dense",), ("soft",), *[()] * len(boundary)]


def test_lstm_operators_are_named_in_order_if_there_are_as_many() -> None:
    file = chain(
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "arith.constant", "tfl.unidirectional_sequence_lstm"),
        ("STRIDED_SLICE", "", "tfl.strided_slice"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "arith.constant1", "tfl.unidirectional_sequence_lstm1"),
    )
    two = LayerNames(("a", "b"), ("a", "b"))
    assert layers_of_operators(file, two) == [("a",), (), ("b",)]
    assert layers_of_operators(file, LayerNames(("a", "b"), ("a",))) == [(), (), ()]
