"""Types of kernels and blocks in int4 and int2 files, and each way to break the promise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import PromiseError
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.flatbuffer import Subgraph, read_model
from pipeline.tflite.inspect import inspect
from pipeline.tflite.verify_low_bits import check_low_bit_kernels, tell_wider_weights
from tests.tflite.conftest import Converted


@pytest.mark.parametrize(
    ("file", "asked", "message"),
    [
        ("int2", ConversionRequest("a", "int4"), r"of FULLY_CONNECTED is int2, promised int4"),
        ("dynamic_range", ConversionRequest("a", "int4"), "promised int4 .scheme int4.$"),
        ("int4", ConversionRequest("a", "int4", block_size=32), "has blocks of 0, promised 32"),
        (
            "int4",
            ConversionRequest("a", "int4", block_size=256),
            r"no dense kernel has inputs in whole blocks of 256 \(kernels: \(4, 288\)\)",
        ),
    ],
)
def test_another_type_is_named(
    converted: Converted, file: str, asked: ConversionRequest, message: str
) -> None:
    path = converted.paths[file]
    with pytest.raises(PromiseError, match=message):
        check_low_bit_kernels(path, asked, read_model(path))


def test_an_operator_without_a_form_is_refused(converted: Converted) -> None:
    path = converted.paths["float32"]
    model = read_model(path)
    operators = [
        replace(operator, name="CONV_3D" if operator.name == "CONV_2D" else operator.name)
        for operator in model.main.operators
    ]
    main: Subgraph = replace(model.main, operators=tuple(operators))
    with pytest.raises(PromiseError, match="of CONV_3D stays float32: it has no form for scheme"):
        check_low_bit_kernels(
            path, ConversionRequest("a", "int4"), replace(model, subgraphs=(main,))
        )


def test_wider_weights_are_told(converted: Converted) -> None:
    told = tell_wider_weights(inspect(converted.paths["int2"]), "int2")
    assert told is not None and told.endswith(", which have no int2 form")
    assert "1 of 3 kernels in int4" in told and "1 of 3 kernels in int8" in told
    found = inspect(converted.paths["int4"])
    dense = [weight for weight in found.weights if weight.dtype == "int4"]
    assert tell_wider_weights(replace(found, weights=tuple(dense)), "int4") is None
    table = replace(dense[0], role="other", dtype="float32")
    told = tell_wider_weights(replace(found, weights=(*dense, table)), "int4")
    assert told == (
        f"{table.counts.parameters} numbers of tables in float32, which have no int4 form"
    )
