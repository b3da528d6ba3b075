"""Curves that were measured are drawn, those that rise highest first."""

from __future__ import annotations

from pipeline.reporting.sensitivity_charts import (
    draw_channels,
    draw_mixed_precision,
    draw_pruned_layers,
)


def test_a_group_that_was_not_measured_has_no_curve() -> None:
    groups = [
        {"layers": ["a", "b"], "units": 8, "loss_rise": [[2, 0.1], [4, 0.5]]},
        {"layers": ["c"], "units": 8, "loss_rise": []},
    ]
    chart = str(draw_channels({"groups": groups}))
    assert "a, b" in chart and ">c<" not in chart
    assert draw_channels({"groups": groups[1:]}) is None
    assert draw_channels(None) is None


def test_as_many_layers_as_there_are_colours() -> None:
    curves = [{"layer": f"layer_{n}", "points": [[0.5, n / 10], [1.0, n]]} for n in range(9)]
    chart = str(draw_pruned_layers({"distribution": {"curves": curves}}))
    assert "layer_8" in chart and "layer_2" in chart and "layer_1" not in chart
    assert draw_pruned_layers({"distribution": {"curves": []}}) is None


def test_each_file_of_mixed_precision_has_its_curves() -> None:
    choices = [
        {"scheme": "int8", "loss_rise": 0.0, "saved_gzip_bytes": 0},
        {"scheme": "int4", "loss_rise": 0.5, "saved_gzip_bytes": 700},
    ]
    layers = [{"layer": "conv_1", "scheme": "int8", "choices": choices}]
    files = [{"name": "int8"}, {"name": "mixed", "mixed_precision": {"layers": layers}}]
    charts = draw_mixed_precision({"files": files})
    assert list(charts) == ["mixed"] and "conv_1" in charts["mixed"]
    assert draw_mixed_precision(None) == {}
