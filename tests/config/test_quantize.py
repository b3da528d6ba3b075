"""Combinations of method, schemes and types of inputs."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.quantize import QuantizeConfig
from pipeline.config.ranges import RangesConfig
from pipeline.config.train import FineTuneConfig


def test_qat_has_a_fine_tuning_even_if_none_is_given() -> None:
    assert QuantizeConfig(method="qat").fine_tuning == FineTuneConfig()
    given = QuantizeConfig(method="qat", qat=FineTuneConfig(epochs=3))
    assert given.fine_tuning.epochs == 3


def test_uint8_is_for_int8_alone() -> None:
    assert QuantizeConfig(inference_io="uint8").schemes == ("int8",)
    with pytest.raises(ValueError, match="inference_io uint8 is possible with"):
        QuantizeConfig(inference_io="uint8", schemes=("int16x8",))


def test_dense_scales_are_for_schemes_with_scales_that_ptq_sets() -> None:
    assert QuantizeConfig(dense_scales="per_tensor").dense_scales == "per_tensor"
    with pytest.raises(ValueError, match="method qat has one scale per kernel"):
        QuantizeConfig(dense_scales="per_tensor", method="qat")
    with pytest.raises(ValueError, match="float16 has none"):
        QuantizeConfig(dense_scales="per_tensor", schemes=("float16",))


def test_float_operators_are_for_integer_schemes() -> None:
    assert QuantizeConfig().float_operators == "refuse"
    allowed = QuantizeConfig(float_operators="allow", schemes=("float16", "int16x8"))
    assert allowed.float_operators == "allow"
    with pytest.raises(ValueError, match="belongs to schemes int8, int16x8 and int8x4"):
        QuantizeConfig(float_operators="allow", schemes=("dynamic_range",))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weight_algorithm": "gptq"}, "weight_algorithm belongs to schemes int8x4, int4 and int2"),
        ({"schemes": ("int4", "int2"), "weight_algorithm": "mse"}, "mse knows no int2"),
        ({"block_size": 32}, "block_size belongs to scheme int4"),
        ({"schemes": ("int2",), "block_size": 32}, "block_size belongs to scheme int4"),
        ({"block_size": 32, "weight_algorithm": "mse"}, "mse knows no blocks"),
        ({"weight_scales": "power_of_two", "schemes": ("int4",)}, "weight_scales belongs to"),
        ({"schemes": ("int8x4",), "weight_algorithm": "gptq"}, "gptq belongs to float activations"),
        ({"block_size": 32, "dense_scales": "per_tensor"}, "exclude each other"),
    ],
)
def test_low_bits_have_options_of_their_own(given: dict[str, Any], message: str) -> None:
    schemes = given.get("schemes", ("int8",) if "belongs" in message else ("int8", "int4"))
    with pytest.raises(ValueError, match=message):
        QuantizeConfig(**{**given, "schemes": schemes})
    assert QuantizeConfig(schemes=("int4",), block_size=64, weight_algorithm="gptq").block_size


def test_ranges_are_for_int8_after_training() -> None:
    assert QuantizeConfig().ranges.kind == "min_max"
    percentile = RangesConfig(kind="percentile")
    assert QuantizeConfig(ranges=percentile, schemes=("float16", "int8")).ranges == percentile
    with pytest.raises(ValueError, match="method qat learns its ranges"):
        QuantizeConfig(ranges=percentile, method="qat")
    with pytest.raises(ValueError, match="ranges belongs to schemes int8 and int8x4"):
        QuantizeConfig(ranges=percentile, schemes=("int16x8",))


def test_biases_are_corrected_in_integer_schemes_after_training() -> None:
    assert not QuantizeConfig().bias_correction
    assert QuantizeConfig(bias_correction=True, schemes=("float16", "int16x8")).bias_correction
    with pytest.raises(ValueError, match="method qat learns its biases"):
        QuantizeConfig(bias_correction=True, method="qat")
    with pytest.raises(ValueError, match="belongs to schemes int8, int16x8 and int8x4"):
        QuantizeConfig(bias_correction=True, schemes=("int4",))


def test_layers_are_equalized_after_training_for_schemes_with_scales() -> None:
    assert not QuantizeConfig().cross_layer_equalization
    assert QuantizeConfig(cross_layer_equalization=True, schemes=("int4", "float16")).schemes
    with pytest.raises(ValueError, match="method qat trains instead"):
        QuantizeConfig(cross_layer_equalization=True, method="qat")
    with pytest.raises(ValueError, match="needs a scheme with scales; float16 has none"):
        QuantizeConfig(cross_layer_equalization=True, schemes=("float16",))


def test_auto_needs_a_promise_and_chooses_by_itself() -> None:
    auto = QuantizeConfig(method="auto", max_accuracy_drop=0.005)
    assert auto.allowed_loss == 0.005 and auto.fine_tuning.distillation is not None
    assert QuantizeConfig(method="auto", max_error_increase=0.1).allowed_loss == 0.1
    given = QuantizeConfig(method="auto", max_accuracy_drop=0.1, qat=FineTuneConfig(epochs=3))
    assert given.fine_tuning == FineTuneConfig(epochs=3)
    with pytest.raises(ValueError, match="until a promise is kept: give max_accuracy_drop"):
        QuantizeConfig(method="auto")
    with pytest.raises(ValueError, match=r"makes one file of schemes: \[int8\]"):
        QuantizeConfig(method="auto", max_accuracy_drop=0.1, schemes=("int8", "float16"))


@pytest.mark.parametrize(
    "given",
    [
        {"ranges": RangesConfig(kind="mse")},
        {"bias_correction": True},
        {"cross_layer_equalization": True},
    ],
)
def test_auto_tries_what_else_one_would_set(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="itself; leave them out"):
        QuantizeConfig(method="auto", max_accuracy_drop=0.1, **given)


def test_layers_are_for_files_that_take_exceptions() -> None:
    given = {"head": {"scheme": "int16x8"}}
    assert QuantizeConfig(layers=given).layers["head"].scheme == "int16x8"
    for schemes, message in (
        (("int8", "float16"), "files of scheme float16 take no exceptions; leave float16 out"),
        (("int4",), "layers.head: no layer of a file of scheme int4 can have int16x8"),
    ):
        with pytest.raises(ValueError, match=message):
            QuantizeConfig(layers=given, schemes=schemes)
    with pytest.raises(ValueError, match="layers belongs to ptq"):
        QuantizeConfig(layers=given, method="qat")
    with pytest.raises(ValueError, match="gives layers other schemes itself"):
        QuantizeConfig(layers=given, method="auto", max_accuracy_drop=0.1)
    with pytest.raises(ValueError, match="gptq belongs to float activations"):
        QuantizeConfig(layers={"a": {"scheme": "int4"}}, weight_algorithm="gptq")
