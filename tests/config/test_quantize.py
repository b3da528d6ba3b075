"""Combinations of method, schemes and types of inputs."""

from __future__ import annotations

import pytest

from pipeline.config.quantize import QuantizeConfig
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
    with pytest.raises(ValueError, match="belongs to schemes int8 and int16x8"):
        QuantizeConfig(float_operators="allow", schemes=("dynamic_range",))
