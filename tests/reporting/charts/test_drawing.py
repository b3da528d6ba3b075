from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from markupsafe import Markup

from pipeline.reporting.charts import drawing
from pipeline.reporting.charts.drawing import LegendEntry, legend_rows, number, shorten


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (1.239, "1.24"), (-0.001, "0"), (100.0, "100"), (0.5, "0.5")]
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


def test_shorten_keeps_both_ends_and_what_fits() -> None:
    assert shorten("quantize", 8 * drawing.LETTER) == "quantize"
    assert shorten("block_1_conv_2", 9 * drawing.LETTER) == "bloc…nv_2"


def test_document_is_named_and_scales() -> None:
    svg = ElementTree.fromstring(drawing.document("k", "A <b>", "D", 120, Markup("")))
    assert svg.get("viewBox") == "0 0 400 120" and svg.get("width") is None
    assert svg.get("role") == "img" and svg.get("aria-labelledby") == "k-title k-desc"
    assert [child.text for child in svg] == ["A <b>", "D"]


def test_legend_breaks_into_rows() -> None:
    # Each entry takes 22 + 10 * 7.2 + 14 = 108 units: three fit 400.
    entries = [LegendEntry("x" * 10, 1)] * 7
    assert [len(row) for row in legend_rows(entries)] == [3, 3, 1]
    assert legend_rows([]) == []


def test_text_is_escaped() -> None:
    for piece in (drawing.label(0, 0, "<script>"), drawing.dot(0, 0, 1, "disc", 1, "<script>")):
        assert "<script>" not in piece and "&lt;script&gt;" in piece
