"""Histograms of the kernels in real files, against the model they were converted from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.compression.histograms import BINS
from pipeline.errors import ArtifactError
from pipeline.tflite.inspect import inspect
from pipeline.tflite.kernel_values import describe_kernels
from tests.tflite.conftest import Converted


@pytest.mark.parametrize("name", ["float32", "float16", "dynamic_range", "int8", "int16x8"])
def test_kernels_hold_the_models_values_in_the_order_of_the_layers(
    converted: Converted, name: str
) -> None:
    found = describe_kernels(converted.paths[name])
    assert [kernel["shape"][1:] for kernel in found] == [[3, 3, 2], [3, 3, 8], [288]]
    counted = {weight.name: weight.counts for weight in inspect(converted.paths[name]).kernels}
    for kernel, layer in zip(found, ("conv", "depthwise", "logits"), strict=True):
        values = np.array(converted.model.get_layer(layer).weights[0])
        # A step of int8 is 1/127 of the largest value of its channel.
        step = float(np.abs(values).max()) / 127
        assert kernel["low"] == pytest.approx(min(values.min(), 0), abs=step)
        assert kernel["high"] == pytest.approx(max(values.max(), 0), abs=step)
        assert kernel["zeros"] == counted[kernel["name"]].zeros
        assert kernel["parameters"] == values.size == sum(kernel["counts"]) + kernel["zeros"]
        assert len(kernel["counts"]) == BINS


def test_values_of_blocks_are_counted_in_their_own_scales(converted: Converted) -> None:
    dense = describe_kernels(converted.paths["int4_blocks"])[2]
    values = np.array(converted.model.get_layer("logits").kernel)
    assert dense["dtype"] == "int4"
    assert dense["zeros"] >= np.count_nonzero(values == 0)
    # 36 blocks of at most 16 codes, in scales that differ; without them 16 values were left.
    assert 100 < dense["distinct"] <= 36 * 15 + 1
    assert dense["high"] == pytest.approx(values.max(), rel=0.5)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        describe_kernels(tmp_path / "none.tflite")
