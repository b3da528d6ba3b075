"""Charts of the report's section on quantization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline.reporting.charts.bars import Bar, bar_chart

NOISE_COLOR = 3
# Of a deep network the worst layers; the table beside the chart has all.
SHOWN_LAYERS = 16


def draw_layer_errors(quantization: Mapping[str, Any] | None) -> dict[str, Markup]:
    """Draws the noise of the layers of each file in which it was measured.

    Args:
        quantization: the report's section; see `pipeline/quantization/layer_errors.py`.

    Returns:
        File name → chart.
    """
    files = [] if quantization is None else quantization["files"]
    measured = {file["name"]: (file.get("layer_errors") or {}).get("layers", ()) for file in files}
    noisy = {
        name: [row for row in rows if row["own_sqnr_db"] is not None]
        for name, rows in measured.items()
    }
    return {name: _draw(name, rows[:SHOWN_LAYERS]) for name, rows in noisy.items() if rows}


def _draw(name: str, rows: Sequence[Mapping[str, Any]]) -> Markup:
    return bar_chart(
        f"layer_errors_{name}",
        f"Signal to quantization noise of each layer, {name}",
        "Ratio of signal to quantization noise in decibels, the layers with the most noise first. "
        "The table has the same figures.",
        [
            # Below 0 dB there is more noise than signal: an empty bar, and the figure.
            Bar(
                row["layer"],
                max(row["own_sqnr_db"], 0.0),
                f"{row['own_sqnr_db']:.1f} dB",
                None if row["sqnr_db"] is None else max(row["sqnr_db"], 0.0),
            )
            for row in rows
        ],
        x_title="decibels (higher is better)",
        bar_name="of the layer alone",
        mark_name="with all before it",
        color=NOISE_COLOR,
    )
