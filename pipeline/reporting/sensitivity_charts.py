"""Curves of the loss while one part of a model loses more and more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline.reporting.charts.axes import LabelFormat, format_percent_tick, format_tick
from pipeline.reporting.charts.lines import Series, line_chart

# As many curves as there are colours.
MOST_CURVES = 7


def draw_channels(channels: Mapping[str, Any] | None) -> Markup | None:
    """How the loss rose without parts of one group of layers, for the groups that matter most."""
    curves = [
        (
            ", ".join(group["layers"]),
            [(count / group["units"], rise) for count, rise in group["loss_rise"]],
        )
        for group in (channels or {}).get("groups", [])
        if group["loss_rise"]
    ]
    return _draw(
        "sensitivity",
        "Sensitivity of each group of channels",
        "Rise of the loss on validation samples when only this group loses channels, the least "
        "important first.",
        "fraction of the group's channels removed",
        curves,
    )


def draw_pruned_layers(sparsity: Mapping[str, Any] | None) -> Markup | None:
    """How the loss rose with the smallest weights of one layer at zero."""
    curves = [
        (curve["layer"], [(share, rise) for share, rise in curve["points"]])
        for curve in ((sparsity or {}).get("distribution") or {}).get("curves", [])
    ]
    return _draw(
        "layer_sensitivity",
        "Sensitivity of each layer",
        "Rise of the loss on validation samples when only this layer is pruned, before any "
        "fine-tuning.",
        "share of zeros in the layer",
        curves,
    )


def draw_mixed_precision(quantization: Mapping[str, Any] | None) -> dict[str, Markup]:
    """How the loss rose with fewer bits for one layer, against the bytes that this saved.

    Args:
        quantization: the report's section; see `pipeline/quantization/mixed.py`.

    Returns:
        File name → chart, for files of mixed precision.
    """
    files = [] if quantization is None else quantization["files"]
    charts = {}
    for file in files:
        mixed = file.get("mixed_precision")
        if mixed is None:
            continue
        curves = [
            (
                row["layer"],
                [
                    (choice["saved_gzip_bytes"], choice["loss_rise"])
                    for choice in row["choices"][1:]
                ],
            )
            for row in mixed["layers"]
        ]
        chart = _draw(
            f"bits_{file['name']}",
            f"Sensitivity of each layer to fewer bits, {file['name']}",
            "Rise of the loss on validation samples when only this layer has fewer bits. The table "
            "has the same figures.",
            "bytes saved after gzip",
            curves,
            x_format=format_tick,
        )
        if chart is not None:
            charts[file["name"]] = chart
    return charts


def _draw(
    key: str,
    title: str,
    description: str,
    x_title: str,
    curves: Sequence[tuple[str, list[tuple[float, float]]]],
    x_format: LabelFormat = format_percent_tick,
) -> Markup | None:
    """Draws the curves that rise highest; None without any."""
    if not curves:
        return None
    highest = sorted(curves, key=lambda curve: -max(rise for _, rise in curve[1]))
    series = [
        Series(name, [(0.0, 0.0), *points], color=index + 1)
        for index, (name, points) in enumerate(highest[:MOST_CURVES])
    ]
    return line_chart(
        key,
        title,
        description,
        series,
        x_title=x_title,
        y_title="rise of the loss",
        x_format=x_format,
        whole=False,
    )
