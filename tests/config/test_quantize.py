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
