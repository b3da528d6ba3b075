"""Zeros and weights left, per pruned kernel."""

from __future__ import annotations

from pipeline.reporting.sparsity_charts import draw_sparsity, draw_weights_left

LAYER = {"layer": "separable", "sparsity": 0.5, "target": None, "parameters": 2000, "zeros": 500}
SPARSITY = {
    "layers": [
        {**LAYER, "tensor": "separable/depthwise_kernel"},
        {**LAYER, "tensor": "separable/pointwise_kernel"},
    ]
}


def test_two_kernels_of_one_layer_are_told_apart() -> None:
    chart = draw_sparsity(SPARSITY)
    assert chart is not None and "<title>separable/depthwise_kernel: 50.0 %</title>" in chart


def test_weights_left_are_those_that_are_not_zero() -> None:
    chart = draw_weights_left(SPARSITY)
    assert chart is not None and "separable/pointwise_kernel: 1,500 of 2,000</title>" in chart
    assert draw_weights_left(None) is None
