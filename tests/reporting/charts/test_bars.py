from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import pytest

from pipeline.reporting.charts.axes import format_percent_tick
from pipeline.reporting.charts.bars import Bar, bar_chart


def draw(*bars: Bar, **options: object) -> str:
    return bar_chart("k", "t", "d", bars, x_title="share", **options)  # type: ignore[arg-type]


def test_coordinates_by_hand() -> None:
    # Names of 5 letters: from 5 * 7.2 + 8 = 44; texts of 6: to 400 - 43.2 - 8 = 348.8; so the
    # share 0.5 is 152.4 wide, and its target 0.75 stands at 44 + 228.6.
    svg = draw(
        Bar("conv1", 0.5, "50.0 %", 0.75), Bar("dense", 1.0, "1.00 %"),
        ceiling=1.0, x_format=format_percent_tick,
    )  # fmt: skip
    root = ElementTree.fromstring(svg)
    rects = root.findall(".//{*}rect")
    assert [rect.get("x") for rect in rects] == ["44", "44"]
    assert [rect.get("width") for rect in rects] == ["152.4", "304.8"]
    # Rows are 24 high from 8 on; a bar of 14 is centred two units below the middle.
    assert [rect.get("y") for rect in rects] == ["15", "39"]
    marks = root.findall(".//{*}line[@class='mark']")
    assert [mark.get("x1") for mark in marks] == ["272.6"]
    assert root.get("viewBox") == "0 0 400 102"


@pytest.mark.parametrize("value", [None, math.nan, 0.0])
def test_odd_values_keep_their_row(value: float | None) -> None:
    svg = draw(Bar("layer", value, "–", value))
    ElementTree.fromstring(svg)
    assert ">layer</text>" in svg and "nan" not in svg


def test_no_bars() -> None:
    ElementTree.fromstring(draw())


def test_long_names_stand_above_their_bars() -> None:
    name = "stage_1_block_2_convolution"
    svg = draw(Bar(name, 1.0, "1"), Bar("a", 1.0, "1"))
    assert f">{name}</text>" in svg
    rects = ElementTree.fromstring(svg).findall(".//{*}rect")
    # Rows are 18 higher, and bars start at the edge.
    assert [(rect.get("x"), rect.get("y")) for rect in rects] == [("0", "33"), ("0", "75")]


def test_a_name_longer_than_the_chart_is_cut_but_told() -> None:
    svg = draw(Bar("x" * 99, 1.0, "1"))
    assert f">{'x' * 99}</text>" not in svg
    assert f"<title>{'x' * 99}: 1</title>" in svg


def test_legend_names_only_what_is_drawn() -> None:
    words = {"bar_name": "made", "mark_name": "target", "faint_name": "reused"}
    assert "target" not in draw(Bar("a", 1.0, "1"), **words)
    svg = draw(Bar("a", 1.0, "1", 2.0, faint=True), **words)
    assert all(f">{word}</text>" in svg for word in words.values())
