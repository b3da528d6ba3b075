"""Patterns of layers' names."""

from __future__ import annotations

import pytest

from pipeline.bridge.layer_patterns import check_patterns, first_match
from pipeline.errors import ConfigError


def test_the_first_pattern_wins() -> None:
    overrides = {"conv_1": 1, "conv_*": 2, "*": 3}
    assert [first_match(overrides, name) for name in ("conv_1", "conv_2", "d")] == [1, 2, 3]
    assert first_match({"conv_*": 2}, "Conv_1") is None


def test_a_pattern_without_a_layer_is_refused() -> None:
    check_patterns("cluster", ["conv*", "logits"], ["conv_1", "logits"])
    words = r"cluster\.layers: the pattern 'convv\*' matches no layer.* has conv, logits"
    with pytest.raises(ConfigError, match=words):
        check_patterns("cluster", ["convv*"], ["conv", "logits"])
