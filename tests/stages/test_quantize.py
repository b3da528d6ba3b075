"""The stage quantize: what is refused when planned."""

from __future__ import annotations

import pytest

from pipeline.config.load import validate
from pipeline.errors import ConfigError
from pipeline.stages.quantize import check


def test_blocks_would_split_clusters() -> None:
    values = {"quantize": {"schemes": ["int4"], "block_size": 32}}
    check(validate({**values, "stages": ["train", "quantize"]}))
    with pytest.raises(ConfigError, match=r"quantize.block_size: one value of a clustered kernel"):
        check(validate({**values, "stages": ["train", "cluster", "quantize"]}))


def test_equalization_would_split_clusters() -> None:
    values = {"quantize": {"cross_layer_equalization": True}}
    check(validate({**values, "stages": ["train", "prune", "quantize"]}))
    with pytest.raises(ConfigError, match=r"cross_layer_equalization: each channel gets a factor"):
        check(validate({**values, "stages": ["train", "cluster", "quantize"]}))
