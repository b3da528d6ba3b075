"""Zeros of each pruned kernel, and the weights that it has left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from pipeline.reporting.charts.axes import format_percent_tick
from pipeline.reporting.charts.bars import Bar, bar_chart
from pipeline.reporting.training_charts import SPARSITY_COLOR
from pipeline.reporting.units import format_figure, format_percent


def draw_sparsity(sparsity: Mapping[str, Any] | None) -> Markup | None:
    """Share of zeros in each pruned kernel, with the target."""
    if sparsity is None or not sparsity["layers"]:
        return None
    return bar_chart(
        "sparsity",
        "Sparsity per layer",
        "Share of zeros counted in each pruned kernel, with the share that was asked for.",
        [
            Bar(name, row["sparsity"], format_percent(row["sparsity"]), row.get("target"))
            for name, row in zip(_names(sparsity), sparsity["layers"], strict=True)
        ],
        x_title="share of zeros",
        x_format=format_percent_tick,
        ceiling=1.0,
        bar_name="counted",
        mark_name="target",
        color=SPARSITY_COLOR,
    )


def draw_weights_left(sparsity: Mapping[str, Any] | None) -> Markup | None:
    """Weights of each pruned kernel that are not zero: where the model's parameters are now."""
    if sparsity is None or not sparsity["layers"]:
        return None
    left = [row["parameters"] - row["zeros"] for row in sparsity["layers"]]
    return bar_chart(
        "weights_left",
        "Weights left per layer",
        "Weights of each pruned kernel that are not zero, of all that it has.",
        [
            Bar(name, count, f"{format_figure(count)} of {format_figure(row['parameters'])}")
            for name, row, count in zip(_names(sparsity), sparsity["layers"], left, strict=True)
        ],
        x_title="weights that are not zero",
        color=SPARSITY_COLOR,
    )


def _names(sparsity: Mapping[str, Any]) -> list[str]:
    """Names each kernel by its layer; one of several in a layer gets the tensor's name as well."""
    layers = [row["layer"] for row in sparsity["layers"]]
    return [
        row["layer"]
        if layers.count(row["layer"]) == 1
        else f"{row['layer']}/{row['tensor'].rsplit('/', 1)[-1]}"
        for row in sparsity["layers"]
    ]
