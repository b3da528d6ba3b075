"""The table of what each layer suffers from each choice."""

from __future__ import annotations

import numpy as np

from pipeline.quantization.sensitivity import Sensitivity, assign
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.layer_of_operator import LayerNames
from pipeline.tflite.layer_schemes import LayerSchemes


def test_the_users_patterns_come_first_and_names_are_no_patterns() -> None:
    layers = LayerSchemes((("b*", "float32"),), LayerNames(("a[1]", "b")))
    asked = assign(ConversionRequest("m", "int4", layers=layers), {"a[1]": "int8", "b": "int2"})
    assert asked.layers is not None
    assert asked.layers.scheme_of(["a[1]"]) == "int8"
    assert asked.layers.scheme_of(["b"]) == "float32"
    assert asked.layers.scheme_of(["a1"]) is None


def test_what_a_layer_cannot_have_is_no_row() -> None:
    found = Sensitivity(
        ("conv", "head"),
        ("int8", "int4", "int2"),
        np.array([[0.0, 0.5, np.nan], [0.0, 0.1, 0.2]]),
        np.array([[0.0, 30.0, 0.0], [0.0, 10.0, 15.0]]),
        0.25,
        900,
        64,
    ).to_json([1, 2])
    assert found["layers"][0] == {
        "layer": "conv",
        "scheme": "int4",
        "choices": [
            {"scheme": "int8", "loss_rise": 0.0, "saved_gzip_bytes": 0},
            {"scheme": "int4", "loss_rise": 0.5, "saved_gzip_bytes": 30},
        ],
    }
    assert found["layers"][1]["scheme"] == "int2"
    assert found["reference"] == {"loss": 0.25, "gzip_bytes": 900}
