"""Targets, samples and overrides of narrow."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import as_plain_data
from pipeline.config.narrow import NarrowConfig, NarrowTarget


def test_a_configuration_comes_back_as_it_was() -> None:
    values = {
        "target": {"parameters": 0.25}, "importance": "l1", "samples": 64, "min_channels": 2,
        "layers": {"conv_1": {"skip": True}},
    }  # fmt: skip
    config = NarrowConfig.model_validate(values)
    assert NarrowConfig.model_validate(as_plain_data(config)) == config
    assert (config.target.figure, config.target.fraction) == ("parameters", 0.25)
    assert config.sample_count == 64


def test_half_of_the_macs_by_default() -> None:
    config = NarrowConfig()
    assert (config.target.figure, config.target.fraction) == ("macs", 0.5)
    assert config.sample_count == 512


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "received nothing, expected one of parameters, macs, latency"),
        ({"parameters": 0.5, "macs": 0.5}, "received parameters and macs, expected one of"),
        ({"macs": 0.5, "latency": 0.5}, "received macs and latency, expected one of"),
        ({"macs": 0.5, "runtime": "litert"}, "runtime: belongs to latency; leave it out"),
        ({"latency": 0.5, "runtime": "onnx"}, "runtime"),
    ],
)
def test_one_figure_is_the_target(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        NarrowTarget.model_validate(values)


def test_latency_is_measured_under_litert_unless_told_otherwise() -> None:
    target = NarrowTarget(latency=0.4)
    assert (target.figure, target.fraction, target.measured_by) == ("latency", 0.4, "litert")
    assert NarrowTarget(latency=0.4, runtime="tflite_micro").measured_by == "tflite_micro"


@pytest.mark.parametrize("fraction", [0.0, 1.0, 1.5])
def test_a_fraction_out_of_range_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="macs"):
        NarrowTarget(macs=fraction)


def test_samples_that_nobody_looks_at_are_refused() -> None:
    unused: dict[str, Any] = {"importance": "l2", "distribution": "uniform", "samples": 9}
    with pytest.raises(ValueError, match="samples: importance l2 and distribution uniform look at"):
        NarrowConfig.model_validate(unused)
    NarrowConfig.model_validate({**unused, "importance": "taylor"})
    NarrowConfig.model_validate({**unused, "distribution": "sensitivity"})


def test_a_pattern_that_says_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="expected skip: true"):
        NarrowConfig.model_validate({"layers": {"c": {"skip": False}}})
