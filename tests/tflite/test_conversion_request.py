"""What cannot be asked of the converter is refused before anything runs."""

from __future__ import annotations

import pytest

from pipeline.errors import ConfigError
from pipeline.tflite.conversion_request import ConversionRequest


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(ConfigError, match="scheme 'int7': expected one of float32"):
        ConversionRequest("a", "int7")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="inference_io 'int16': expected one of int8"):
        ConversionRequest("a", "int8", "int16")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="float_operators 'some': expected one of refuse, allow"):
        ConversionRequest("a", "int8", float_operators="some")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="weight_algorithm 'best': expected one of min_max, oct"):
        ConversionRequest("a", "int4", weight_algorithm="best")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="block_size 48: expected one of 32, 64, 128, 256"):
        ConversionRequest("a", "int4", block_size=48)
    with pytest.raises(
        ConfigError, match="ranges 'best': expected one of min_max, percentile, mse"
    ):
        ConversionRequest("a", "int8", ranges="best")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="ranges 'mse' with scheme 'int16x8': expected int8"):
        ConversionRequest("a", "int16x8", ranges="mse")
    with pytest.raises(ConfigError, match="percentile 50: expected above 50 and at most 100"):
        ConversionRequest("a", "int8", ranges="percentile", percentile=50)
    with pytest.raises(ConfigError, match="bias_correction with scheme 'int4': expected one of in"):
        ConversionRequest("a", "int4", bias_correction=True)
    with pytest.raises(ConfigError, match="weight_scales 'some': expected one of exact, power_of"):
        ConversionRequest("a", "int8", weight_scales="some")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="weight_scales 'power_of_two' with scheme 'int4': expec"):
        ConversionRequest("a", "int4", weight_scales="power_of_two")
