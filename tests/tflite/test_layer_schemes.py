"""Which operators have another scheme than their file."""

from __future__ import annotations

from pipeline.tflite.flatbuffer import decode_model
from pipeline.tflite.layer_of_operator import LayerNames
from pipeline.tflite.layer_schemes import LayerSchemes
from tests.tflite.conftest import Converted

NAMES = LayerNames(("image", "conv", "depthwise", "flat", "logits"))


def test_the_first_pattern_wins_for_any_of_the_fused_layers() -> None:
    schemes = LayerSchemes((("relu*", "float32"), ("conv*", "int4"), ("*", "int8")), NAMES)
    assert schemes.scheme_of(("conv_1", "relu_1")) == "float32"
    assert schemes.scheme_of(("conv_2",)) == "int4"
    assert schemes.scheme_of(("dense",)) == "int8"
    assert schemes.scheme_of(()) is None
    assert schemes.schemes == {"float32", "int4", "int8"}


def test_operators_are_found_by_their_layers(converted: Converted) -> None:
    model = decode_model(converted.paths["float32"].read_bytes())
    schemes = LayerSchemes((("logits", "int8"), ("conv", "int4"), ("image", "int2")), NAMES)
    found = dict(
        zip([op.name for op in model.main.operators], schemes.of_operators(model), strict=True)
    )
    assert (found["CONV_2D"], found["FULLY_CONNECTED"]) == ("int4", "int8")
    assert found["DEPTHWISE_CONV_2D"] is None
    assert schemes.unused_patterns(model) == ["image"]


def test_json_and_back() -> None:
    schemes = LayerSchemes((("a", "int8"),), LayerNames(("a", "b"), ("b",)))
    assert LayerSchemes.from_json(schemes.to_json()) == schemes
