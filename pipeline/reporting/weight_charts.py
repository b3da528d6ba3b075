"""Histograms of the kernels' values, float and shipped, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline.reporting.charts.histogram import Histogram, Strip, histogram_chart
from pipeline.reporting.units import format_percent

# Strips in one chart; two charts stand side by side on a wide screen.
STRIPS = 6
# More layers than this are folded away.
MAX_SHOWN = 24


def draw_weights(weights: Mapping[str, Any] | None) -> dict[str, Any]:
    """Draws the layers in the order of the file.

    Returns:
        dict: `shown` and `folded` (lists of charts of a few layers each), and
        `folded_layers`, how many are in the second.
    """
    layers = [] if weights is None else weights["layers"]
    charts = [
        (start, draw_layers(start, weights or {}, layers[start : start + size]))
        for start, size in columns(len(layers))
    ]
    return {
        "shown": [chart for start, chart in charts if start < MAX_SHOWN],
        "folded": [chart for start, chart in charts if start >= MAX_SHOWN],
        "folded_layers": max(0, len(layers) - MAX_SHOWN),
    }


def columns(layers: int) -> list[tuple[int, int]]:
    """(first layer, layers) of each chart: full ones, and the last two of even length."""
    starts = list(range(0, layers - 2 * STRIPS, 2 * STRIPS)) if layers > 2 * STRIPS else []
    pieces = [(start + half, STRIPS) for start in starts for half in (0, STRIPS)]
    first = pieces[-1][0] + STRIPS if pieces else 0
    rest = layers - first
    half = -(-rest // 2)
    return [*pieces, *[(start, size) for start, size in ((first, half), (first + half, rest - half))
                       if size > 0]]  # fmt: skip


def draw_layers(
    start: int, weights: Mapping[str, Any], layers: Sequence[Mapping[str, Any]]
) -> Markup:
    """The strips of some layers."""
    return histogram_chart(
        f"weights-{start}",
        "Values of the kernels",
        "; ".join(
            f"{layer['name']}: {format_percent(layer['sparsity'])} zeros, "
            f"{layer['after']['distinct']:,} different values"
            for layer in layers
        )
        + ".",
        [
            Strip(
                layer["name"],
                f"{format_percent(layer['sparsity'])} zeros, {layer['dtype']}",
                make_histogram(layer["after"], weights["after"]),
                make_histogram(layer["before"], weights["before"]),
            )
            for layer in layers
        ],
        filled_name=f"{weights['after']} (shipped)",
        outline_name=f"{weights['before']}",
    )


def make_histogram(told: Mapping[str, Any] | None, file: str | None) -> Histogram | None:
    """The drawn form of a histogram; None for a kernel of nothing but zeros."""
    if told is None or not told["low"] < told["high"]:
        return None
    text = f"{file}: {told['parameters'] - told['zeros']:,} values that are not zero"
    return Histogram(told["low"], told["high"], told["counts"], text)
