"""Which layers of which files can have another scheme."""

from __future__ import annotations

import pytest

from pipeline.config.layer_schemes import LayerQuantization, check_layer_schemes


def test_each_file_is_asked_for_what_it_can_have() -> None:
    check_layer_schemes({}, ["float16"])
    check_layer_schemes({"a*": LayerQuantization(scheme="int4")}, ["int8", "int8x4", "int4"])
    with pytest.raises(ValueError, match=r"scheme int8 can have int2; expected one of float32"):
        check_layer_schemes({"a*": LayerQuantization(scheme="int2")}, ["int2", "int8"])
    with pytest.raises(ValueError, match=r"dynamic_range take no exceptions.*do: int8, int8x4"):
        check_layer_schemes({"a*": LayerQuantization(scheme="int8")}, ["dynamic_range"])
