"""Kinds of ranges, and the percentile of one of them."""

from __future__ import annotations

import pytest

from pipeline.config.ranges import RangesConfig


def test_a_percentile_has_a_default_and_a_kind_that_it_belongs_to() -> None:
    assert RangesConfig(kind="percentile").at_percentile == 99.99
    assert RangesConfig(kind="percentile", percentile=99.5).at_percentile == 99.5
    with pytest.raises(ValueError, match="percentile belongs to kind: percentile"):
        RangesConfig(kind="mse", percentile=99.0)
    with pytest.raises(ValueError, match="greater than 50"):
        RangesConfig(kind="percentile", percentile=50.0)
