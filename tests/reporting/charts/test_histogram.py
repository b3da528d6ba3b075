from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from pipeline.reporting.charts.histogram import Histogram, Strip, histogram_chart


def draw(*strips: Strip) -> str:
    return histogram_chart("k", "t", "d", strips, filled_name="int8", outline_name="float")


def test_steps_by_hand() -> None:
    # Without an outline the legend has one row: the strip lies between 17 + 8 + 20 and 56 below.
    svg = draw(Strip("conv", "0 % zeros", Histogram(-1.0, 1.0, [1, 2])))
    assert re.findall(r'<path d="([^"]*)" class="hist', svg) == [
        "M0 101L0 73L200 73L200 45L400 45L400 101"
    ]
    assert ">−1</text>" in svg and ">0</text>" in svg and ">1</text>" in svg


def test_both_histograms_share_the_axis() -> None:
    svg = draw(Strip("conv", "", Histogram(0.0, 1.0, [4]), Histogram(-1.0, 1.0, [1, 1])))
    assert 'd="M200 101L200 45L400 45L400 101" class="hist' in svg
    assert 'd="M0 101L0 45L200 45L200 45L400 45L400 101" class="outline' in svg
    assert ">float</text>" in svg


def test_a_kernel_of_zeros_keeps_its_row() -> None:
    svg = draw(Strip("<conv>", "100 % zeros", None), Strip("b", "", Histogram(0, 1, [0, 0])))
    ElementTree.fromstring(svg)
    assert "&lt;conv&gt;" in svg and "hist" not in svg
