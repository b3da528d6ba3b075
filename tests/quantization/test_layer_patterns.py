"""Patterns of `quantize.layers`, looked up in the model."""

from __future__ import annotations

import pytest

from pipeline.errors import ConfigError
from pipeline.quantization.layer_patterns import check_patterns


def test_a_pattern_without_a_layer_is_refused_with_the_nearest_name() -> None:
    check_patterns(["conv_*", "block/dense"], ["conv_1", "block/dense"])
    with pytest.raises(ConfigError, match="'logit' matches no layer of the model; did you mean"):
        check_patterns(["conv_*", "logit"], ["conv_1", "logits"])
