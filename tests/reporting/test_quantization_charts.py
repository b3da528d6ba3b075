"""The noise of layers, drawn."""

from __future__ import annotations

from pipeline.reporting.quantization_charts import SHOWN_LAYERS, draw_layer_errors
from tests.reporting.sample_run import quantize_metrics


def test_layers_with_noise_of_their_own_are_drawn_in_their_order() -> None:
    charts = draw_layer_errors(quantize_metrics())
    assert list(charts) == ["int8"]
    chart = charts["int8"]
    assert chart.index("24.1 dB") < chart.index("36.2 dB") < chart.index("-1.5 dB")
    assert "flatten" not in chart  # it only moves values


def test_without_layers_there_is_no_chart() -> None:
    assert draw_layer_errors(None) == {}
    files = [{"name": "int8", "layer_errors": {"reason": "no operator"}}, {"name": "int4"}]
    assert draw_layer_errors({"files": files}) == {}


def test_of_many_layers_the_worst_are_drawn() -> None:
    row = {"fused": [], "operators": [], "sqnr_db": 20.0, "own_sqnr_db": 30.0}
    layers = [{**row, "layer": f"layer_{number:02}"} for number in range(40)]
    chart = draw_layer_errors({"files": [{"name": "int8", "layer_errors": {"layers": layers}}]})
    assert f"layer_{SHOWN_LAYERS - 1:02}" in chart["int8"]
    assert f"layer_{SHOWN_LAYERS:02}" not in chart["int8"]


def test_layers_without_noise_have_no_chart() -> None:
    row = {"layer": "dense", "fused": [], "sqnr_db": 60.0, "own_sqnr_db": None}
    assert draw_layer_errors({"files": [{"name": "int8", "layer_errors": {"layers": [row]}}]}) == {}
