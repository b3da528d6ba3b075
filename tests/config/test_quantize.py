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
