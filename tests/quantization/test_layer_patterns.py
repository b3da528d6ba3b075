"""Patterns of `quantize.layers`, looked up in the model."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.quantize import QuantizeConfig
from pipeline.errors import ConfigError
from pipeline.quantization.layer_patterns import layer_schemes


def test_patterns_become_schemes_of_the_models_layers(network: Any) -> None:
    assert layer_schemes(QuantizeConfig(), network) is None
    settings = QuantizeConfig(layers={"hidden*": {"scheme": "int16x8"}})
    found = layer_schemes(settings, network)
    assert found is not None and found.patterns == (("hidden*", "int16x8"),)
    assert found.names.layers[-1] == "logits"


def test_a_pattern_without_a_layer_is_refused_with_the_nearest_name(network: Any) -> None:
    settings = QuantizeConfig(layers={"logit": {"scheme": "int16x8"}})
    with pytest.raises(ConfigError, match="'logit' matches no layer of the model; did you mean"):
        layer_schemes(settings, network)
