from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from pipeline.reporting.charts.axes import linear_axis
from pipeline.reporting.charts.parallel import Dimension, Thread, parallel_chart


def draw(dimensions: list[Dimension], kinds: list[str]) -> str:
    return parallel_chart("k", "t", "d", dimensions, [Thread(kind, kind) for kind in kinds])


def test_coordinates_by_hand() -> None:
    # One row of legend: the first axis lies at 17 + 26, the next 70 below; from 22 to 400 - 22.
    axis = linear_axis([0.0, 10.0])
    svg = draw([Dimension("a", axis, [0, 10]), Dimension("b", axis, [10, 5])], ["best", "rest"])
    # The best one is drawn last.
    assert re.findall(r'<path d="([^"]*)" class="thread (\w+)"', svg) == [
        ("M378 43L200 113", "rest"), ("M22 43L378 113", "best"),
    ]  # fmt: skip


def test_a_value_that_a_trial_does_not_have_gets_its_own_place() -> None:
    axis = linear_axis([0.0, 10.0])
    svg = draw([Dimension("a", axis, [None, 10.0], "failed")], ["failed", "best"])
    # 58 are kept free behind the axis: it ends at 320, the place is at 320 + 58 - 14.
    assert 'd="M364 ' in svg and ">failed</text>" in svg
    ElementTree.fromstring(svg)


def test_legend_names_only_what_is_there() -> None:
    axis = linear_axis([0.0, 1.0])
    svg = draw([Dimension("<a>", axis, [0.0])], ["best"])
    assert "other" not in svg and "&lt;a&gt;" in svg
